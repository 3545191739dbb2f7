# The program closes all descriptors that it does not know after it has made its listeners, and opens files of its own.
# The listeners end, say so once each, and leave the program's files alone.
. "$(dirname "$0")/lib.sh"
mkdir "$base/own"
start_target "$BINARIES/live_control_unkind" descriptors "$base/commands" "$base/own"

listening() { grep -lE "moult (listener|pipe)" /proc/"$pid"/task/*/comm 2>/dev/null; }
while listening >/dev/null; do :; done
[[ $(grep -c "the program has closed the listener's descriptors, so the listener has ended" "$base/errors") == 1 ]] ||
  fail "the Listener's end is not said once: $(cat "$base/errors")"
[[ $(grep -c "commands: the program has closed the listener's descriptors, so the PipeListener has ended" "$base/errors") == 1 ]] ||
  fail "the PipeListener's end is not said once: $(cat "$base/errors")"
[[ ! -e $base/commands ]] || fail "the FIFO is still there, though nobody reads it"
expect 5 "has no listener: the program must keep a moult::Listener" "$MOULT" status "$pid"
[[ $(answer) == 1 ]] || fail "the program does not go on"
exec 8>&-
read -r last <&9
[[ $last == "10 files, 0 bytes" ]] || fail "of the program's 10 files there are $last"
wait "$pid" || fail "the program did not end well: $(cat "$base/errors")"
