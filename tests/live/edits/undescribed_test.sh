#!/usr/bin/env bash
# A source that the program was built of without debug information: its edits are refused, and not overlooked.
. "$(dirname "$0")/lib.sh"

in_tree g++-12 -std=c++20 -g -O2
cat >app.cpp <<'END'
#include <cstdio>
#include <cstdlib>
int plus(int number);
void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d", plus(std::atoi(question)));
}
END
cat >plain.cpp <<'END'
int plus(int number) { return number + 1; }
END
touch -d '1 hour ago' ./*.cpp
build old
$compiler -O2 -c plain.cpp -o old/plain.cpp.o
$compiler "$HOST" old/app.cpp.o old/plain.cpp.o -o old/app "$LIBRARY" -Wl,-rpath,"$(dirname "$LIBRARY")" -Wl,--build-id=sha1
cp -r . "$base/edited"
sed -i 's/number + 1/number + 2/' "$base/edited/plain.cpp"
(cd "$base" && diff -Naur -x old tree edited >plain.patch) || true
expect 3 "plain.cpp: is a part of app by its symbols, but has no debug information" \
  "$MOULT" build old/app --patch "$base/plain.patch" -o fix.so
cp "$base/edited/plain.cpp" .
expect 3 "plain.cpp: is a part of app by its symbols, but has no debug information" "$MOULT" build old/app -o fix.so
expect 3 "plain.cpp: is a part of app by its symbols" "$MOULT" diff old/app
