# Clients that die, shout or do not listen, two at once, and one of another user.
. "$(dirname "$0")/lib.sh"
start_target
socket=$XDG_RUNTIME_DIR/moult/$pid.sock
rude=$BINARIES/live_control_rude_client

[[ $(stat -c %a "$socket") == 600 ]] || fail "the socket's mode is $(stat -c %a "$socket")"
[[ $(stat -c %a "$XDG_RUNTIME_DIR/moult") == 700 ]] || fail "the folder's mode is $(stat -c %a "$XDG_RUNTIME_DIR/moult")"

"$rude" "$socket" half & wait $! && fail "it should have died" || true
expect 0 "longer than 1 MiB" "$rude" "$socket" long
"$rude" "$socket" deaf >"$base/deaf" &
deaf=$!
"$MOULT" log -f "$pid" --json >"$base/followed" &
follower=$!
started+=("$follower")
"$MOULT" apply "$pid" "$BINARIES/live_control_answer.so" >"$base/one" &
one=$!
"$MOULT" apply "$pid" "$BINARIES/live_control_answer.so" >"$base/two" &
two=$!
wait "$one" || fail "the first of two at once: $(cat "$base/one")"
wait "$two" || fail "the second of two at once: $(cat "$base/two")"
wait "$deaf" || fail "the deaf client broke down"
grep -q timed_out "$base/deaf" || fail "the program took in all a deaf client said: $(cat "$base/deaf")"
kill -KILL "$follower"
expect 0 "listening" "$MOULT" ps
[[ $(answer) == 2 ]] || fail "the update is not in force"

if ((EUID == 0)) && command -v setpriv >/dev/null; then
  # The folders keep others out; opened, the socket still hears only its own user.
  chmod 755 "$base" "$XDG_RUNTIME_DIR" "$XDG_RUNTIME_DIR/moult"
  chmod 666 "$socket"
  install -m 755 "$rude" "$base/rude"
  nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
  expect 0 "belongs to another user" "${nobody[@]}" "$base/rude" "$socket" long
  install -m 755 "$MOULT" "$base/moult"
  expect 5 "has no listener" "${nobody[@]}" "$base/moult" status "$pid"
else
  echo "not tested: a client of another user (needs root and setpriv)"
fi

exec 8>&-
wait "$pid" || fail "the program did not end well: $(cat "$base/errors")"
[[ ! -e $socket ]] || fail "the socket outlives the program"
[[ -z $(ls "$XDG_RUNTIME_DIR/moult") ]] || fail "left behind: $(ls "$XDG_RUNTIME_DIR/moult")"
