#!/usr/bin/env bash
# Variables that an edit gives their new initial values: their values afterwards, and the way back.
. "$(dirname "$0")/lib.sh"

in_tree g++-12 -std=c++20 -g -O2
cat >app.cpp <<'END'
#include <cstdio>
#include <cstdlib>

static int limit = 10;
static int asked = 0;

void answer(const char* question, char* reply, unsigned long size) {
  if (const int more = std::atoi(question)) limit += more;
  std::snprintf(reply, size, "%d of %d", ++asked, limit);
}
END
mkdir saved && cp app.cpp saved
touch -d '1 hour ago' app.cpp
build old
start old
running=$pid
[[ $(ask old 0 1) == $'1 of 10\n2 of 11' ]] || fail "the program is not as it was written"
built() { expect 0 "$2" "$MOULT" build old/app -o "$1" --reset limit; }
apply() { expect 0 "$2" "$MOULT" apply "$running" "$1"; }

# No function changes.
sed -i 's/limit = 10/limit = 20/' app.cpp
expect 2 "the edits change no code" "$MOULT" build old/app -o plain.so
expect 2 "--reset other: the edits change the initial value of no variable of that name" \
  "$MOULT" build old/app -o first.so --reset other
expect 0 "reset    limit" "$MOULT" diff old/app --reset limit
built first.so "built from app.cpp, .*: new initial values for limit"
apply first.so "limit set to its new initial value"
[[ $(ask old 0) == "3 of 20" ]] || fail "the variable has not its new value, or another one has changed"
expect 0 "limit set to its new initial value" "$MOULT" status "$running"
expect 0 "rolled back" "$MOULT" rollback "$running"
[[ $(ask old 0) == "4 of 11" ]] || fail "the variable has not its old value"

# What the program has made of it since is kept.
apply first.so "applied"
[[ $(ask old 5) == "5 of 25" ]] || fail "the variable has not its new value again"
expect 0 "limit: keeps the value that the program has given it" "$MOULT" rollback "$running"
[[ $(ask old 0) == "6 of 25" ]] || fail "the rollback has lost a value"

# A later edit with the same initial value leaves it alone, one with another does not.
apply first.so "applied"
[[ $(ask old 5) == "7 of 25" ]] || fail "the variable has not its new value"
sed -i 's/"%d of %d"/"%d\/%d"/' app.cpp
built second.so "1 function replaced .*; new initial values for limit"
apply second.so "applied"
[[ $(ask old 0) == "8/25" ]] || fail "the variable was reset again"
sed -i 's/limit = 20/limit = 40/' app.cpp
built third.so "new initial values for limit"
apply third.so "limit set to its new initial value"
[[ $(ask old 0) == "9/40" ]] || fail "the variable has not its newest value"
first=$("$MOULT" status "$running" --json | grep -oE '"id":[0-9]+,"name":"edit of app.cpp","manager":"edits","state":"applied"' | grep -oE '[0-9]+' | head -1)
expect 3 "has reset limit, too; roll that one back first" "$MOULT" rollback "$running" "$first"
expect 0 "rolled back" "$MOULT" rollback "$running"
[[ $(ask old 0) == "10/25" ]] || fail "the rollback has not put the value back"

# moult live resets it once.
cp saved/app.cpp . && touch -d '1 hour ago' app.cpp
start old followed
: >"$base/said"
"$MOULT" live "$pid" --reset limit >>"$base/said" 2>&1 &
live=$!
started+=("$live")
seen=0
wait_for "following the sources"
sed -i 's/limit = 10/limit = 20/' app.cpp
wait_for "new initial values for limit"
[[ $(ask followed 5) == "1 of 25" ]] || fail "moult live has not reset the variable"
sed -i 's/"%d of %d"/"%d\/%d"/' app.cpp
wait_for "1 function replaced"
[[ $(ask followed 0) == "2/25" ]] || fail "moult live has reset the variable again"
