# Commands through a FIFO; their replies are lines of the log.
. "$(dirname "$0")/lib.sh"
start_target "$TARGET" "$base/commands"

[[ -p $base/commands ]] || fail "there is no FIFO"
[[ $(stat -c %a "$base/commands") == 600 ]] || fail "its mode is $(stat -c %a "$base/commands")"
echo "set logpath $base/log" >"$base/commands"
echo "set loglevel 2" >"$base/commands"
echo "dance" >"$base/commands"
echo "update $BINARIES/live_control_answer.so" >"$base/commands"
mkfifo "$base/follow"
"$MOULT" log -f "$pid" >"$base/follow" 8>&- & # which would keep the program's input open
started+=($!)
timeout 60 grep -m1 -q "update $BINARIES/live_control_answer.so: {\"ok\":true" <"$base/follow" || fail "no reply"
[[ $(answer) == 2 ]] || fail "the update is not in force"
grep -q "neither a JSON object nor" "$base/log" || fail "an unknown command was not told of: $(cat "$base/log")"

# Writers have come and gone, and there is no busy loop at the end of file: while another thread works on, the pipe's is
# not given the processor again.
for task in /proc/"$pid"/task/*; do [[ $(cat "$task/comm") == "moult pipe" ]] && pipe_task=$task; done
switches() { grep ctxt_switches "$1/status"; }
before=$(switches "$pipe_task")
for _ in {1..200}; do answer >/dev/null; done
[[ $(switches "$pipe_task") == "$before" ]] || fail "the pipe's thread runs though nobody writes"

exec 8>&-
wait "$pid" || fail "the program did not end well: $(cat "$base/errors")"
[[ ! -e $base/commands ]] || fail "the FIFO outlives the program"

# A program that was killed leaves its FIFO, which the next one takes over.
start_target "$TARGET" "$base/commands"
kill -KILL "$pid"
wait "$pid" || true
[[ -p $base/commands ]] || fail "a killed program has taken its FIFO away"
start_target "$TARGET" "$base/commands"
echo "set logpath $base/second_log" >"$base/commands"
exec 8>&-
wait "$pid" || fail "the program with the FIFO that was left did not end well: $(cat "$base/errors")"
[[ ! -e $base/commands ]] || fail "the FIFO that was taken over outlives the program"
