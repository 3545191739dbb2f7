#!/usr/bin/env bash
# A library of the process that was compiled with a class keeps an edit of its layout away; one that only has an
# identifier of that name does not.
. "$(dirname "$0")/lib.sh"

compiler=g++-12
command -v $compiler >/dev/null || { echo "skipped: there is no $compiler"; exit 77; }
flags=(-std=c++20 -g -O2 "-I$INCLUDE")
cp -r "$(dirname "$0")/rows/pooled_appended" "$tree"
cd "$tree"
mkdir other
echo 'namespace depot { struct Item { int number; }; } int number_of(const depot::Item& item) { return item.number; }' >other/alike.cpp
echo '#include "../item.hpp"
int peek(shop::Item& item) { rename(item, "peeked"); return 1; }' >other/uses.cpp
for name in alike uses; do
  $compiler "${flags[@]}" -shared -fPIC other/$name.cpp -o other/$name.so
done
touch -d '1 hour ago' ./*
build old
LD_PRELOAD=$tree/other/alike.so start old alike
alike=$pid
LD_PRELOAD=$tree/other/uses.so start old uses
ask alike "add apple" >/dev/null
ask uses "add apple" >/dev/null
bash edit.sh
expect 0 "new layout" "$MOULT" build old/app -o fix.so
expect 3 "shop::Item has another layout, and .*uses.so was compiled with the class as it was" "$MOULT" apply "$pid" fix.so
expect 0 "an object of shop::Item given the new layout" "$MOULT" apply "$alike" fix.so
