# A program that does not answer in time: why, as far as can be told.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

expect 4 "$name \\(pid $pid\\) answers, but the file's entry \\(MOULT_UPDATE\\) has not returned in time; it keeps running" \
  "$MOULT" check "$name" "$BINARIES/live_control_hanging.so" --timeout 1
[[ $(answer) == 1 ]] || fail "the program does not run"

kill -STOP "$pid"
until grep -q "^State:.*T" "/proc/$pid/status"; do :; done
expect 4 "$name \\(pid $pid\\) is stopped \\(SIGSTOP, Ctrl-Z\\); kill -CONT $pid" "$MOULT" status "$pid" --timeout 0.1
expect 4 "$name \\(pid $pid\\) is stopped" "$MOULT" check "$pid" "$BINARIES/live_control_answer.so" --timeout 0.1
expect 0 "$pid +$name +stopped" "$MOULT" ps --timeout 0.1
expect 4 "is stopped .*; nothing was sent to it" "$MOULT" apply "$pid" "$BINARIES/live_control_answer.so" --timeout 30
kill -CONT "$pid"
expect 0 "no updates" "$MOULT" status "$pid"
expect 0 "$pid +$name +listening" "$MOULT" ps --timeout 60

# A program that was killed, and left its socket.
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
for command in apply check "build -o $base/late.so"; do
  # shellcheck disable=SC2086
  expect 5 "there is no process $pid" "$MOULT" $command "$pid" "$SOURCES/answer_update.cpp"
done
