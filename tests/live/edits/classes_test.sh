#!/usr/bin/env bash
# Edits of a class on top of each other: objects keep what earlier edits gave them, and go back step by step.
. "$(dirname "$0")/lib.sh"

in_tree g++-12 -std=c++20 -g -O2 "-I$INCLUDE"
cat >app.cpp <<'END'
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "moult/data_access.hpp"

namespace {

struct Item : moult::Updatable<Item, 64> {
  std::string name = "item";
  int hits = 0;
};

Item* const item = new Item;

}  // namespace

[[gnu::noinline]] static int hit(Item& hit) { return ++hit.hits; }

static std::atomic<bool> may_go = false;
[[gnu::noinline]] static void stay() {
  Item own;
  while (!may_go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  hit(own);
}

void answer(const char* question, char* reply, unsigned long size) {
  static std::thread guest;
  if (std::strcmp(question, "stay") == 0) {
    guest = std::thread(stay);
    return;
  }
  if (std::strcmp(question, "go") == 0) {
    may_go = true;
    guest.join();
    return;
  }
  const int hits = hit(*item);
  std::snprintf(reply, size, "%s %d", item->name.c_str(), hits);
}
END
mkdir saved && cp app.cpp saved
touch -d '1 hour ago' app.cpp
build old
start old
running=$pid
[[ $(ask old 1 1) == $'item 1\nitem 2' ]] || fail "the program is not as it was written"

expect_refused() { expect 3 "$1" "$MOULT" "${@:2}"; }
apply() {
  expect 0 "$2" "$MOULT" build old/app -o "$1" "${@:4}"
  expect 0 "$3" "$MOULT" apply "$running" "$1"
}

sed -i 's/^  int hits = 0;/&\n  int twice = 2 * hits;/; s/return ++hit.hits;/hit.twice += 2; return ++hit.hits;/
  s/"%s %d", item->name.c_str(), hits/"%s %d %d", item->name.c_str(), hits, item->twice/' app.cpp
# An object on a stack is not found: the function must be left first.
expect 0 "new layout" "$MOULT" build old/app -o early.so
ask old stay >/dev/null
expect 4 "stay\(\) is active" "$MOULT" apply "$running" early.so --timeout 1
ask old go >/dev/null
expect 0 "changed  .*Item  \(class; its objects get the new layout\):.*twice" "$MOULT" diff old/app
apply first.so "objects of .*Item get the new layout" "an object of .*Item given the new layout"
[[ $(ask old 1 1) == $'item 3 6\nitem 4 8' ]] || fail "the first edit is not in force"

# The second one goes on from there, if it is told so.
sed -i 's/^  int twice.*/&\n  std::string more = "more of it than fits in a short string";/
  s/item->twice/item->twice + (item->more.size() == 38 ? 100 : 0)/' app.cpp
expect 0 "new layout" "$MOULT" build old/app -o alone.so
expect_refused "a layout that it does not know; build it with --after" apply "$running" alone.so
apply second.so "new layout" "an object of .*Item given the new layout" --after first.so
[[ $(ask old 1) == "item 5 110" ]] || fail "the second edit is not in force, or has lost a value"
expect_refused 'relies on the layout of .*Item that it brought; roll that edit back first' rollback "$running" 2 # the first was withdrawn

# The third one leaves the objects alone, and can be the first of another process.
sed -i 's/ ? 100 : 0/ ? 200 : 0/' app.cpp
expect 0 "new layout" "$MOULT" build old/app -o third.so --after second.so
expect 0 "applied" "$MOULT" apply "$running" third.so
[[ $(ask old 1) == "item 6 212" ]] || fail "the third edit is not in force, or has lost a value"
start old second
expect 0 "given the new layout" "$MOULT" apply "$pid" third.so
[[ $(ask second 1) == "item 1 202" ]] || fail "the third edit is not the first of another process"

# Edited back, and rolled back.
cp saved/app.cpp . && sed -i 's/"%s %d", item/"%s! %d", item/' app.cpp
expect 0 "1 function replaced" "$MOULT" build old/app -o back.so --after third.so
expect 0 "an object of .*Item given the new layout" "$MOULT" apply "$running" back.so
[[ $(ask old 1) == "item! 7" ]] || fail "what was edited back is not the program's own"
expect 0 "rolled back" "$MOULT" rollback "$running"
[[ $(ask old 1) == "item 8 216" ]] || fail "the rollback has not made the fields anew"
expect 0 "rolled back" "$MOULT" rollback "$running"
expect 0 "rolled back" "$MOULT" rollback "$running"
[[ $(ask old 1) == "item 9 18" ]] || fail "the first edit is not in force again"
expect_refused "go on from third.so, and update 2 .* a layout that it does not know" apply "$running" back.so
expect 0 "1 function replaced" "$MOULT" build old/app -o again.so --after first.so
expect 0 "an object of .*Item given the new layout" "$MOULT" apply "$running" again.so
[[ $(ask old 1) == "item! 10" ]] || fail "what was edited back is not the program's own"
expect 0 "rolled back" "$MOULT" rollback "$running"
[[ $(ask old 1) == "item 11 22" ]] || fail "the rollback has not made the field anew"
expect 0 "rolled back" "$MOULT" rollback "$running" --all
[[ $(ask old 1) == "item 12" ]] || fail "the program is not as it was"

# moult live knows what it has applied.
cp saved/app.cpp .
touch -d '1 hour ago' app.cpp
start old followed
follow "$pid"
wait_for "following the sources"
sed -i 's/^  int hits = 0;/&\n  int twice = 2 * hits;/; s/return ++hit.hits;/hit.twice += 2; return ++hit.hits;/
  s/"%s %d", item->name.c_str(), hits/"%s %d %d", item->name.c_str(), hits, item->twice/' app.cpp
wait_for "objects of .*Item get the new layout"
[[ $(ask followed 1) == "item 1 2" ]] || fail "the first edit that was followed is not in force"
sed -i 's/^  int twice.*/&\n  int more = 100;/; s/item->twice/item->twice + item->more/' app.cpp
wait_for "objects of .*Item get the new layout"
[[ $(ask followed 1) == "item 2 104" ]] || fail "the second edit that was followed is not in force, or has lost a value"
cp saved/app.cpp . && touch app.cpp
wait_for "edited back"
[[ $(ask followed 1) == "item 3" ]] || fail "the program that was edited back is not as it was"
