#!/usr/bin/env bash
# An edit of a running program's sources: row.sh COMPILER ROW [FLAGS...]
#
# The program of rows/ROW is built and asked its questions. Then edit.sh changes its sources, and the update that
# `moult build` makes of them is applied. From then on the program must give the answers of a program that is built
# afresh from the edited sources and was asked the same before; and its old ones when the update is rolled back.
# With AS=patch in the environment, the update is made of a patch, and the tree is edited afterwards.
# A row may also have:
#   refused          a pattern: `moult build` refuses the edit with that; refused.COMPILER: with that compiler alone
#   notes            a pattern that `moult build` says
#   options          options for it, a line each
#   flags            more flags of the compiler, a line each
#   no_way_back      a pattern: the rollback is refused with that
#   replies          the answers after the edit, where they are not those of the fresh program
#   without_history  the fresh program is not asked the questions before
. "$(dirname "$0")/lib.sh"

compiler=$1 row=$2
shift 2
command -v "$compiler" >/dev/null || { echo "skipped: there is no $compiler"; exit 77; }
rows=$(cd "$(dirname "$0")/rows" && pwd)
cp -r "$rows/$row" "$tree"
cd "$tree"
flags=(-std=c++20 -g "-I$INCLUDE" "${@:--O2}")
[[ ${AS-} != patch ]] || folder=$tree/ # that names come out of the private copy as they were
[[ ! -e flags ]] || mapfile -t -O "${#flags[@]}" flags <flags
mapfile -t questions <questions
options=()
[[ ! -e options ]] || mapfile -t options <options

touch -d '1 hour ago' ./*
build old
start old
running=$pid
before=$(ask old "${questions[@]}")
is_stateless=$([[ $(ask old "${questions[@]}") != "$before" ]] || echo yes)

if [[ ${AS-} == patch ]]; then
  cp -r . "$base/edited" && (cd "$base/edited" && bash edit.sh)
  (cd "$base" && diff -Naur -x old tree edited >fix.patch) || true
  options+=(--patch "$base/fix.patch")
else
  bash edit.sh
fi
[[ ! -e refused.$compiler ]] || mv "refused.$compiler" refused
if [[ -e refused ]]; then
  expect 3 "$(cat refused)" "$MOULT" build old/app -o fix.so "${options[@]}"
  [[ ! -e fix.so ]] || fail "an update was made all the same"
  exit 0
fi
expect 0 "$(cat notes 2>/dev/null)" "$MOULT" build old/app -o fix.so "${options[@]}"
expect 0 "edit of .*: applied" "$MOULT" apply "$running" fix.so
after=$(ask old "${questions[@]}")
if [[ -e replies ]]; then
  expected=$(cat replies)
else
  [[ ${AS-} != patch ]] || bash edit.sh
  build fresh
  start fresh
  [[ -e without_history ]] || ask fresh "${questions[@]}" "${questions[@]}" >"$base/history"
  expected=$(ask fresh "${questions[@]}")
fi
[[ $after == "$expected" ]] || fail "after the edit the program says
$after
and one that is built of the edited sources
$expected"
[[ $after != "$before" ]] || fail "the edit makes no difference, so that this test cannot fail"
if [[ -e no_way_back ]]; then
  expect 3 "$(cat no_way_back)" "$MOULT" rollback "$running" --all
  exit 0
fi
expect 0 "rolled back" "$MOULT" rollback "$running" --all
[[ -z $is_stateless || $(ask old "${questions[@]}") == "$before" ]] || fail "the rollback has left something"
