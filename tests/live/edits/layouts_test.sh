#!/usr/bin/env bash
# An edit of a class is applied to objects of the layout that it was built for, and to no others.
. "$(dirname "$0")/lib.sh"

in_tree g++-12 -std=c++20 -g -O2 "-I$INCLUDE"
cat >app.cpp <<'END'
#include <cstdio>

#include "moult/data_access.hpp"

struct Item : moult::Updatable<Item, 64> {
  int hits = 0;
};

static Item* const item = new Item;

void answer(const char*, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d", ++item->hits);
}
END
mkdir saved && cp app.cpp saved
touch -d '1 hour ago' app.cpp
build old
start old
running=$pid
[[ $(ask old 1) == 1 ]] || fail "the program is not as it was written"
built() { expect 0 "built from app.cpp" "$MOULT" build old/app -o "$@"; }
apply() { expect 0 "applied" "$MOULT" apply "$running" "$1"; }

# An edit that leaves the class alone; then x, then y, of which each call counts one up.
sed -i 's/"%d"/"%d!"/' app.cpp
built plain.so
cp saved/app.cpp . && sed -i 's/int hits = 0;/&\n  int x = 100;/; s/"%d", ++item->hits/"%d %d", ++item->hits, ++item->x/' app.cpp
built first.so
sed -i 's/int x = 100;/&\n  int y = 200;/; s/"%d %d", ++item->hits, ++item->x/"%d %d %d", ++item->hits, ++item->x, ++item->y/' app.cpp
built second.so --after first.so

# A process that lacks the first edit.
start old other
expect 3 "was built to go on from first.so, and this process has Item as it was built; apply first.so first" \
  "$MOULT" apply "$pid" second.so
[[ $(ask other 1) == 1 ]] || fail "an edit that was refused is in force"

# Edits that do not know of the second one would destroy what it has added.
apply first.so
apply second.so
[[ $(ask old 1 1) == $'2 101 201\n3 102 202' ]] || fail "the edits are not in force"
unknown='was built to go on from the program as it was built, and update 2 \("edit of app.cpp"\) has given the objects of Item a layout that it does not know; build it with --after .* roll update 2 back first \(moult rollback\)'
for each in first plain; do
  expect 3 "$unknown" "$MOULT" apply "$running" $each.so
  expect 3 "$unknown" "$MOULT" apply "$running" $each.so --force
done
[[ $(ask old 1) == "4 103 203" ]] || fail "an edit that was refused has changed objects"
apply second.so # for objects that have its layout there is nothing to do
[[ $(ask old 1) == "5 104 204" ]] || fail "an edit that is applied again has changed objects"

# moult live, which has not applied them, is told of them.
expect 3 "layout that it does not know; build it with --after" bash -c "
  sed -i 's/int y = 200;/&\\n  int z = 300;/' app.cpp && '$MOULT' live $running --once"
expect 0 "objects of Item get the new layout" "$MOULT" live "$running" --once --after second.so
[[ $(ask old 1) == "6 105 205" ]] || fail "moult live has lost a value"
expect 0 "rolled back" "$MOULT" rollback "$running"

# One that knows of it may take its fields away.
cp saved/app.cpp . && sed -i 's/"%d"/"%d!"/' app.cpp
built known.so --after second.so
apply known.so
[[ $(ask old 1) == "7!" ]] || fail "the edit that takes the fields away is not in force"

# --after takes an edit of this build of the program alone.
no_update() { expect 3 "--after $1" "$MOULT" build old/app -o fix.so --after "$2"; }
no_update ".*old/app: is no update that moult build has made of edits" old/app
no_update "app.cpp: is no update that moult build has made of edits" app.cpp
strip first.so -o stripped.so
no_update "stripped.so: is no update that moult build has made of edits: .*checksum" stripped.so
"$MOULT" checksum stripped.so
no_update "stripped.so: has no debug information" stripped.so
cat >hand.cpp <<'END'
#include "moult/load.hpp"

MOULT_UPDATE {}
END
mkdir elsewhere && mv hand.cpp elsewhere
$compiler "${flags[@]}" -shared -fPIC elsewhere/hand.cpp -o hand.so
no_update "hand.so: is an update, but not one of edits" hand.so
cp saved/app.cpp . && sed -i 's/"%d"/"%d?"/' app.cpp && touch -d '1 hour ago' app.cpp
build new

sed -i 's/"%d?"/"%d!"/' app.cpp
expect 3 "--after first.so: was made of edits of another build \([0-9a-f]+\) than app \([0-9a-f]+\)" \
  "$MOULT" build new/app -o fix.so --after first.so
[[ ! -e fix.so ]] || fail "an update was made all the same"

# With all edited back there is nothing to build.
cp saved/app.cpp .
expect 2 "the edits change no code of .*; moult rollback takes second.so back" "$MOULT" build old/app -o fix.so --after second.so
touch -d '1 hour ago' app.cpp
expect 2 "was written after it.*; moult rollback takes second.so back" "$MOULT" build old/app -o fix.so --after second.so
