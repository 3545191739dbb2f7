#!/usr/bin/env bash
# Sourced by the tests of edits: builds a program of the sources in $tree, and asks it questions.
. "$(dirname "${BASH_SOURCE[0]}")/../control/lib.sh"

tree=$base/tree
declare -A in out

# in_tree COMPILER FLAGS...: goes on in the empty tree, with that compiler, or is skipped without it.
in_tree() {
  compiler=$1
  shift
  flags=("$@")
  command -v "$compiler" >/dev/null || { echo "skipped: there is no $compiler"; exit 77; }
  mkdir "$tree"
  cd "$tree"
}

# build NAME: the program, in the folder NAME of the tree, with its compile_commands.json. Needs $compiler and
# ${flags[@]}; $folder comes before the sources' names in the commands.
build() {
  local source objects=() separator='['
  mkdir "$1"
  for source in *.cpp; do
    "$compiler" "${flags[@]}" -c "${folder-}$source" -o "$1/$source.o"
    printf '%s{"directory":"%s","file":"%s","command":"%s %s -c %s -o %s/%s.o"}\n' "$separator" "$tree" "$source" \
      "$compiler" "${flags[*]}" "${folder-}$source" "$1" "$source" >>"$1/compile_commands.json"
    separator=,
    objects+=("$1/$source.o")
  done
  echo ']' >>"$1/compile_commands.json"
  "$compiler" "$HOST" "${objects[@]}" -o "$1/app" "$LIBRARY" -Wl,-rpath,"$(dirname "$LIBRARY")" -Wl,--build-id=sha1
}

# start NAME [AS]: starts the program in the folder NAME, to be asked as AS (NAME unless given); sets pid.
start() {
  local to from
  start_target "$1/app"
  exec {to}>&8 {from}<&9 8>&- 9<&-
  in[${2-$1}]=$to out[${2-$1}]=$from
}

# ask AS QUESTION...: its answers, a line each.
ask() {
  local program=$1 question line
  shift
  for question in "$@"; do
    echo "$question" >&"${in[$program]}"
    IFS= read -r -t 60 line <&"${out[$program]}" || fail "$program gives no answer to $question: $(cat "$base/errors")"
    printf '%s\n' "$line"
  done
}

# follow PROCESS: moult live follows its sources; sets live.
follow() {
  : >"$base/said"
  "$MOULT" live "$1" >>"$base/said" 2>&1 &
  live=$!
  started+=("$live")
  seen=0
}

# wait_for PATTERN: in what moult live says from now on.
wait_for() {
  local i
  for ((i = 0; i < 600; ++i)); do
    if tail -c +$((seen + 1)) "$base/said" | grep -qE "$1"; then
      seen=$(stat -c %s "$base/said")
      return
    fi
    sleep 0.1
  done
  fail "moult live does not say $1, but: $(cat "$base/said")"
}
