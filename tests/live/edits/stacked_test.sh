#!/usr/bin/env bash
# Edits on top of each other: the program is always what the sources are, and keeps its state.
. "$(dirname "$0")/lib.sh"

in_tree g++-12 -std=c++20 -g -O2
cat >app.cpp <<'END'
#include <cstdio>
#include <cstdlib>

int other(int number);
static int asked = 0;
[[gnu::noinline]] int plus(int number) { return number + 1; }
[[gnu::noinline]] int times(int number) { return number * 2; }

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d: %d %d %d", ++asked, plus(number), times(number), other(number));
}
END
cat >other.cpp <<'END'
int other(int number) { return number * number / 10 - 3; }
END
mkdir saved && cp ./*.cpp saved
touch -d '1 hour ago' ./*.cpp
build old
start old
[[ $(ask old 10) == "1: 11 20 7" ]] || fail "the program is not as it was written"

# The first edit brings a variable.
sed -i 's/^static int asked = 0;/&\nstatic volatile int sum = 100;/; s/return number + 1;/sum = sum + number; return sum;/' app.cpp
expect 0 "1 function replaced \(plus\(int\)\)" "$MOULT" build old/app -o first.so
expect 0 "applied" "$MOULT" apply "$pid" first.so
[[ $(ask old 10 10) == $'2: 110 20 7\n3: 120 20 7' ]] || fail "the first edit is not in force"
expect 0 "sources: the tree as of $(date -r app.cpp '+%F %T'), 1 file edited since it was built" "$MOULT" status "$pid"

# The second one goes on with its value, and edits another source.
sed -i 's/return number \* 2;/return number * 3 + sum;/' app.cpp
sed -i 's/- 3;/- 30;/' other.cpp
expect 0 "[34] functions replaced \(plus\(int\), times" "$MOULT" build old/app -o second.so
expect 0 "applied" "$MOULT" apply "$pid" second.so
expect 0 "sources: the tree as of $(date -r other.cpp '+%F %T'), 2 files edited since it was built" "$MOULT" status "$pid"
[[ $(ask old 10) == "4: 130 150 -20" ]] || fail "the second edit is not in force, or has lost a value"

# The third one takes back a part of what the others did.
sed -i 's/sum = sum + number; return sum;/return number + 1;/' app.cpp
cp saved/other.cpp .
expect 0 "times\(int\)" "$MOULT" build old/app -o third.so
expect 0 "applied.*plus\(int\) is the program's own again.*other\(int\) is the program's own again" \
  "$MOULT" apply "$pid" third.so
[[ $(ask old 10) == "5: 11 160 7" ]] || fail "what was edited back is not the program's own"
expect 0 "shadowed by update 3" "$MOULT" status "$pid"

# And back, one after the other.
expect 0 "rolled back" "$MOULT" rollback "$pid"
[[ $(ask old 10) == "6: 140 160 -20" ]] || fail "the second edit is not in force again"
expect 0 "applied" "$MOULT" apply "$pid" third.so
expect 0 "rolled back" "$MOULT" rollback "$pid" "edit of app.cpp, other.cpp"
[[ $(ask old 10) == "7: 11 170 7" ]] || fail "the rollback of an edit that is superseded has an effect"
expect 0 "rolled back" "$MOULT" rollback "$pid"
[[ $(ask old 10) == "8: 150 20 7" ]] || fail "the first edit is not in force again"
expect 0 "1 file edited since" "$MOULT" status "$pid"
expect 0 "rolled back" "$MOULT" rollback "$pid" --all
[[ $("$MOULT" status "$pid") != *"edited since"* ]] || fail "the sources of edits that were rolled back are shown"
[[ $(ask old 10) == "9: 11 20 7" ]] || fail "the program is not as it was"

# Another build, or a damaged file, is refused; several processes take the same file.
start old second
expect 0 "applied" "$MOULT" apply "$pid" first.so
[[ $(ask second 10) == "1: 110 20 7" ]] || fail "the edit does not fit another process"
mkdir stripped && strip old/app -o stripped/app
start stripped
expect 0 "applied" "$MOULT" apply "$pid" first.so
[[ $(ask stripped 10) == "1: 110 20 7" ]] || fail "the edit needs symbols of the program"
cp saved/app.cpp . && sed -i 's/number + 1/number + 2/' app.cpp
build new
start new
expect 3 "was built for the program with build id [0-9a-f]+, and the running one is" "$MOULT" apply "$pid" first.so
expect 3 "was built for the program with build id" "$MOULT" apply "$pid" first.so --force
[[ $(ask new 10) == "1: 12 20 7" ]] || fail "a refused edit is in force"
