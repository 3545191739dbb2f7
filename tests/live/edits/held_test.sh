#!/usr/bin/env bash
# What an edit brought stays as it is: the program may hold it, and reads its variables.
. "$(dirname "$0")/lib.sh"

in_tree g++-12 -std=c++20 -g -O2
cat >app.cpp <<'END'
#include <cstdio>
#include <cstdlib>

static int (*volatile hooked)(int) = nullptr;
[[gnu::noinline]] int plus(int number) { return number + std::abs(number); }

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d %d", plus(number), hooked == nullptr ? 0 : hooked(number));
}
END
cp app.cpp saved
touch -d '1 hour ago' app.cpp
build old
start old
[[ $(ask old 10) == "20 0" ]] || fail "the program is not as it was written"

# A function whose address the program keeps.
sed -i 's/^\[\[gnu::noinline\]\] int plus.*/[[gnu::noinline]] static int hook(int number) { return number * 5; }\n[[gnu::noinline]] int plus(int number) { hooked = hook; return number + 7; }/' app.cpp
expect 0 "plus\(int\)" "$MOULT" build old/app -o first.so
expect 0 "applied" "$MOULT" apply "$pid" first.so
ask old 10 >/dev/null
[[ $(ask old 10) == "17 50" ]] || fail "the edit is not in force"
sed -i 's/number \* 5/number * 6/' app.cpp
expect 0 "plus\(int\)" "$MOULT" build old/app -o second.so
expect 3 "brought hook\(int\), whose address the program may hold" "$MOULT" apply "$pid" second.so
[[ $(ask old 10) == "17 50" ]] || fail "a refused edit has changed something"
expect 0 "rolled back" "$MOULT" rollback "$pid" --all
[[ $(ask old 10) == "20 50" ]] || fail "the edit is still in force, or the pointer is not"

# A variable that gets another type, and a class that gets another layout.
sed 's/^static int (.volatile.*/&\nstatic int sum = 2;\nstruct Pair {\n  int a = 1;\n};\nstatic Pair pair;/; s/return number + std::abs(number);/return number + ++sum + ++pair.a;/' saved >app.cpp
expect 0 "plus\(int\)" "$MOULT" build old/app -o third.so
expect 0 "applied" "$MOULT" apply "$pid" third.so
[[ $(ask old 10) == "15 50" ]] || fail "the edit with variables is not in force"
sed -i 's/static int sum/static float sum/' app.cpp
expect 0 "plus\(int\)" "$MOULT" build old/app -o float.so
expect 3 "brought the variable sum as int, and it is float now" "$MOULT" apply "$pid" float.so
sed -i 's/static float sum/static int sum/; s/  int a = 1;/  int b = 1;\n  int a = 1;/' app.cpp
expect 0 "plus\(int\)" "$MOULT" build old/app -o pair.so
expect 3 "brought the class Pair as .*, and it is .* now" "$MOULT" apply "$pid" pair.so
[[ $(ask old 10) == "17 50" ]] || fail "a refused edit has changed something"
