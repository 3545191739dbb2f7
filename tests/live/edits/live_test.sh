#!/usr/bin/env bash
# moult live: each save of a source reaches the running program.
. "$(dirname "$0")/lib.sh"

in_tree g++-12 -std=c++20 -g -O2
cat >app.hpp <<'END'
#pragma once
inline int shared(int number) { return number * 7; }
END
cat >app.cpp <<'END'
#include "app.hpp"
#include <cstdio>
#include <cstdlib>

[[gnu::noinline]] int plus(int number) { return number + 1; }

void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d %d", plus(std::atoi(question)), shared(2));
}
END
mkdir saved && cp app.* saved
touch -d '1 hour ago' app.*
build old
start old

expect 0 "^no edit changes code of app" "$MOULT" live "$pid" --once
expect 0 '^\{"ok":true,"updates":\[\]\}$' "$MOULT" live "$pid" --once --json
expect 2 "app.cpp: is a source; name the update" "$MOULT" build old/app -o app.cpp --source app.cpp
sed -i 's/number + 1/number + 2/' app.cpp
expect 0 "^app.cpp: 1 function replaced \(plus\(int\)\); paused .*; active .* after the save" "$MOULT" live "$pid" --once
[[ $(ask old 10) == "12 14" ]] || fail "the edit is not in force"
expect 0 "rolled back" "$MOULT" rollback "$pid" --all

follow "$pid"
wait_for "1 function replaced \(plus\(int\)\)"
[[ $(ask old 10) == "12 14" ]] || fail "the edit that was there is not in force"

# A save by way of a renamed file, as editors do it.
sed 's/number + 1/number + 30/' saved/app.cpp >.app.cpp.new && mv .app.cpp.new app.cpp
wait_for "1 function replaced \(plus\(int\)\)"
[[ $(ask old 10) == "40 14" ]] || fail "the second edit is not in force"

# A header.
sed -i 's/number \* 7/number * 8/' app.hpp
wait_for "2 functions replaced"
[[ $(ask old 10) == "40 16" ]] || fail "the edit of the header is not in force"

# What does not compile, and what is refused, leave the program alone.
echo 'int broken( {' >>app.cpp
wait_for "does not compile"
grep -qE "^app.cpp:[0-9]+:[0-9]+: error: " "$base/said" || fail "the compiler's errors are not shown"
[[ $(ask old 10) == "40 16" ]] || fail "a broken source has changed the program"

# All edited back.
cp saved/app.cpp app.cpp
cp saved/app.hpp app.hpp
wait_for "edited back: the program is as it was built"
[[ $(ask old 10) == "11 14" ]] || fail "the program is not as it was"

kill "$pid"
wait_for "app \(pid $pid\) has ended"
wait "$live" || fail "moult live ended with $?"
[[ -z $(ls "$XDG_CACHE_HOME/moult") ]] || fail "something was left in the cache"

expect 5 "there is no process|no such program" "$MOULT" live "$pid"
