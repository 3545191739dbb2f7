# The program makes its manager and its listeners while it blocks every signal. Their threads can be stopped all the
# same, and the program's signals stay away from them.
. "$(dirname "$0")/lib.sh"
start_target "$BINARIES/live_control_unkind" signals "$base/commands"

expect 0 "answer: applied" "$MOULT" apply "$pid" "$BINARIES/live_control_unkind_answer.so"
[[ $(answer) == 2 ]] || fail "the update is not in force"
expect 0 "answer: rolled back" "$MOULT" rollback "$pid" answer
[[ $(answer) == 1 ]] || fail "the rollback is not in force"

# The mask of a thread as /proc has it: bit 0 is signal 1. SIGTERM is 15, SIGUSR1 is 10.
for task in /proc/"$pid"/task/*; do
  [[ $(basename "$task") == "$pid" ]] && continue
  mask=$((16#$(sed -n 's/^SigBlk:\t//p' "$task/status")))
  ((mask & 1 << 14 && mask & 1 << 9)) || fail "$(cat "$task/comm") takes the program's signals: $(grep SigBlk "$task/status")"
done
exec 8>&-
wait "$pid" || fail "the program did not end well: $(cat "$base/errors")"
