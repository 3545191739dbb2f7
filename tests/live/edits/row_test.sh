#!/usr/bin/env bash
# An edit of a running program's sources: row_test.sh COMPILER ROW [FLAGS...]
#
# The program of rows/ROW is built and asked its questions. Then edit.sh changes its sources, and the update that
# `moult build` makes of them is applied. From then on the program must give the answers of a program that is built
# afresh from the edited sources and was asked the same before; and its old ones when the update is rolled back.
# A row may also have:
#   refused          a pattern: `moult build` refuses the edit with that
#   notes            a pattern that `moult build` says
#   replies          the answers after the edit, where they are not those of the fresh program
#   without_history  the fresh program is not asked the questions before
. "$(dirname "$0")/../control/lib.sh"

compiler=$1 row=$2
shift 2
command -v "$compiler" >/dev/null || { echo "skipped: there is no $compiler"; exit 77; }
rows=$(cd "$(dirname "$0")/rows" && pwd)
tree=$base/tree
cp -r "$rows/$row" "$tree"
cd "$tree"
flags=(-std=c++20 -g "${@:--O2}")

# build NAME: the program, in the folder NAME, with its compile_commands.json.
build() {
  local source objects=() separator='['
  mkdir "$1"
  for source in *.cpp; do
    "$compiler" "${flags[@]}" -c "$source" -o "$1/$source.o"
    printf '%s{"directory":"%s","file":"%s","command":"%s %s -c %s -o %s/%s.o"}\n' "$separator" "$tree" "$source" \
      "$compiler" "${flags[*]}" "$source" "$1" "$source" >>"$1/compile_commands.json"
    separator=,
    objects+=("$1/$source.o")
  done
  echo ']' >>"$1/compile_commands.json"
  "$compiler" "$HOST" "${objects[@]}" -o "$1/app" "$LIBRARY" -Wl,-rpath,"$(dirname "$LIBRARY")" -Wl,--build-id=sha1
}

# ask PROGRAM: its answers to all questions, a line each.
ask() {
  local question line
  while IFS= read -r question; do
    echo "$question" >&"${in[$1]}"
    IFS= read -r -t 60 line <&"${out[$1]}" || fail "$1 gives no answer to $question: $(cat "$base/errors")"
    printf '%s\n' "$line"
  done <"$tree/questions"
}

# start PROGRAM: sets pid.
declare -A in out
start() {
  start_target "$1/app"
  exec {to}>&8 {from}<&9 8>&- 9<&-
  in[$1]=$to out[$1]=$from
}

touch -d '1 hour ago' ./*
build old
start old
running=$pid
before=$(ask old)

bash edit.sh
if [[ -e refused ]]; then
  expect 3 "$(cat refused)" "$MOULT" build old/app -o fix.so
  [[ ! -e fix.so ]] || fail "an update was made all the same"
  exit 0
fi
expect 0 "$(cat notes 2>/dev/null)" "$MOULT" build old/app -o fix.so
expect 0 "edit of .*: applied" "$MOULT" apply "$running" fix.so
after=$(ask old)
if [[ -e replies ]]; then
  expected=$(cat replies)
else
  build fresh
  start fresh
  [[ -e without_history ]] || ask fresh >"$base/history"
  expected=$(ask fresh)
fi
[[ $after == "$expected" ]] || fail "after the edit the program says
$after
and one that is built of the edited sources
$expected"
[[ $after != "$before" ]] || fail "the edit makes no difference, so that this test cannot fail"
expect 0 "rolled back" "$MOULT" rollback "$running" --all
