# The copy of an update's file stays for gdb and perf while the update is applied, and goes when nothing can run its code.
. "$(dirname "$0")/lib.sh"
start_target
folder=$XDG_RUNTIME_DIR/moult/$pid.updates

# copies N: that many are there.
copies() {
  local found
  found=$(find "$folder" -name '*.so' | wc -l)
  [[ $found == "$1" ]] || fail "there are $found copies instead of $1 $2: $(ls "$folder")"
}

expect 0 "" "$MOULT" check "$pid" "$BINARIES/live_control_answer.so"
copies 0 "after a check"
expect 0 "applied" "$MOULT" apply "$pid" "$BINARIES/live_control_answer.so"
copies 1 "of an applied update"
[[ $(answer) != 1 ]] || fail "the update is applied, and the program answers as before"
expect 0 "rolled back" "$MOULT" rollback "$pid" answer
copies 0 "after the rollback"
[[ $(answer) == 1 ]] || fail "the update is rolled back, and the program does not answer as before"
# What is deleted can be sent again.
expect 0 "applied" "$MOULT" apply "$pid" "$BINARIES/live_control_answer.so"
copies 1 "of an update that was sent again"
expect 0 "applied" "$MOULT" apply "$pid" "$BINARIES/live_control_answer.so"
copies 2 "of two applied updates, one of which shadows the other"
expect 0 "rolled back" "$MOULT" rollback "$pid" answer
copies 1 "of the one that is active again"
[[ $(answer) != 1 ]] || fail "one of two updates is rolled back, and neither is active"
# A file that somebody else has removed keeps no other.
rm "$folder"/*.so
expect 0 "rolled back" "$MOULT" rollback "$pid" answer
[[ $(answer) == 1 ]] || fail "both updates are rolled back, and the program does not answer as before"
expect 0 "" "$MOULT" check "$pid" "$BINARIES/live_control_answer.so"
copies 0 "after a check behind a file that was removed"
