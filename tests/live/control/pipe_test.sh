# Commands through a FIFO; their replies are lines of the log.
. "$(dirname "$0")/lib.sh"
start_target "$TARGET" "$base/commands"

[[ -p $base/commands ]] || fail "there is no FIFO"
[[ $(stat -c %a "$base/commands") == 600 ]] || fail "its mode is $(stat -c %a "$base/commands")"
echo "set logpath $base/log" >"$base/commands"
echo "set loglevel 2" >"$base/commands"
echo "dance" >"$base/commands"
echo "update $BINARIES/live_control_answer.so" >"$base/commands"
# The follower ends by itself once it has seen the reply to the update.
timeout 60 "$MOULT" log -f "$pid" | grep -m1 -q "update $BINARIES/live_control_answer.so: {\"ok\":true" || fail "no reply"
[[ $(answer) == 2 ]] || fail "the update is not in force"
grep -q "neither a JSON object nor" "$base/log" || fail "an unknown command was not told of: $(cat "$base/log")"

# No busy loop when writers come and go: the processor time of the program's pipe thread stays what it is.
for task in /proc/"$pid"/task/*; do
  [[ $(cat "$task/comm") == "moult pipe" ]] && [[ $(cut -d' ' -f3 "$task/stat" | head -c1) == R ]] && fail "it runs"
done

exec 8>&-
wait "$pid" || fail "the program did not end well: $(cat "$base/errors")"
[[ ! -e $base/commands ]] || fail "the FIFO outlives the program"
