# A program that does not answer in time: why, as far as can be told.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

expect 4 "$name \\(pid $pid\\) answers, but the file's entry \\(MOULT_UPDATE\\) has not returned in time; it goes on" \
  "$MOULT" check "$name" "$BINARIES/live_control_hanging.so" --timeout 1
[[ $(answer) == 1 ]] || fail "the program does not run"

kill -STOP "$pid"
until grep -q "^State:.*T" "/proc/$pid/status"; do :; done
expect 4 "$name \\(pid $pid\\) is stopped \\(SIGSTOP, Ctrl-Z\\); kill -CONT $pid" "$MOULT" status "$pid" --timeout 0.1
expect 4 "$name \\(pid $pid\\) is stopped" "$MOULT" check "$pid" "$BINARIES/live_control_answer.so" --timeout 0.1
expect 0 "$pid +$name +stopped" "$MOULT" ps --timeout 0.1
kill -CONT "$pid"
expect 0 "$pid +$name +listening" "$MOULT" ps --timeout 60
