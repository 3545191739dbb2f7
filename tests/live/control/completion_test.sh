# What bash completes is what the command takes: its subcommands, their options, programs, updates.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

moult() { "$MOULT" "${@//0.3/60}"; } # the completion asks it, and has time here
compopt() { :; }           # which only works while readline completes
# shellcheck source=/dev/null
. "$SOURCES/../../../completions/moult.bash"

# offered WORD...: what is offered for the last word, sorted, in one line.
offered() {
  COMP_WORDS=(moult "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _moult
  ((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}" | sort | xargs
}
expect_offered() {
  local wanted=$1 got
  shift
  got=$(offered "$@")
  [[ $got == "$wanted" ]] || fail "after \"moult $*\" it offers \"$got\" instead of \"$wanted\""
}

commands=$("$MOULT" --help | awk '/^Subcommands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' | sort | xargs)
expect_offered "--help --version $commands" ""
for command in $commands; do
  options=$("$MOULT" "$command" --help | sed -n '/^Options:/,/^$/p' | grep -oE -- '--[a-z-]+' | sort -u | xargs)
  expect_offered "$options" "$command" --
done

for command in apply status rollback; do
  got=$(offered "$command" "") # other programs of this user's may run
  [[ " $got " == *" $pid "* && " $got " == *" $name "* ]] || fail "after \"moult $command \" it offers \"$got\""
done
expect_offered "$name" check live_control_t
(cd "$SOURCES" && expect_offered "answer_update.cpp" apply "$name" answer)
expect_offered "" rollback "$name" ""
expect 0 "applied" "$MOULT" apply "$name" "$BINARIES/live_control_answer.so"
expect_offered "1 answer" rollback "$name" ""
expect_offered "loglevel logpath" set "$name" ""
expect_offered "0 1 2" set "$name" loglevel ""
