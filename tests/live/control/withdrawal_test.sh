# What can no longer be withdrawn, and what never answers: the command says so, and ends.
. "$(dirname "$0")/lib.sh"
start_target
changing=$BINARIES/live_control_changing.so

# start FILE: applies it in the background until it has got somewhere; sets client.
start() {
  "$MOULT" apply "$pid" "$1" --timeout 250 >"$base/said" 2>&1 &
  client=$!
}
interrupt() {
  kill -INT "$client"
  until grep -q "withdrawing it; another signal (Ctrl-C) ends the command" "$base/said"; do :; done
}

# An update that has changed the program is carried to its end, and the command tells of that end.
start "$changing"
until [[ $(answer) == 2 ]]; do :; done
interrupt
touch "$XDG_RUNTIME_DIR/go on"
wait "$client" || fail "it ended with $?: $(<"$base/said")"
[[ $(<"$base/said") =~ "applied before it could be withdrawn; moult rollback $pid undoes it" ]] ||
  fail "it does not say that it was too late: $(<"$base/said")"
expect 0 "changing: rolled back" "$MOULT" rollback "$pid"
[[ $(answer) == 1 ]] || fail "the update is still in force"

rm "$XDG_RUNTIME_DIR/go on"
expect 4 "changing: active.*too late to be withdrawn \(moult status $pid\)" "$MOULT" apply "$pid" "$changing" --timeout 0.5
[[ $(answer) == 2 ]] || fail "the update is not in force"
touch "$XDG_RUNTIME_DIR/go on"
until "$MOULT" status "$pid" | grep -q "changing  *applied"; do :; done
expect 0 "changing: rolled back" "$MOULT" rollback "$pid"

# The time counts from the beginning, and a compiler is not left behind.
expect 4 "was not compiled in time, and nothing was sent to" "$MOULT" apply "$pid" "$SOURCES/answer_update.cpp" --timeout 0.001
[[ -z $(ls "$XDG_CACHE_HOME/moult") ]] || fail "something was left in the cache"
[[ $(answer) == 1 ]] || fail "an update that was not compiled is in force"

# An entry that waits for its update: that is withdrawn, and the entry returns.
patient=$BINARIES/live_control_patient.so
start "$patient"
until "$MOULT" status "$pid" | grep -Eq "patient  *(queued|active)"; do :; done
interrupt
result=0
wait "$client" 2>/dev/null || result=$?
[[ $result == 130 ]] || fail "it ended with $result: $(<"$base/said")"
[[ $(<"$base/said") =~ patient:\ withdrawn ]] || fail "it does not say what became of it: $(<"$base/said")"
expect 4 "has not returned in time" "$MOULT" apply "$pid" "$patient" --timeout 0.5
until "$MOULT" status "$pid" | grep -c "patient  *aborted" | grep -q 2; do :; done

# An entry that does not return. Its command leaves at the second signal, or after its time.
start "$BINARIES/live_control_hanging.so"
until "$MOULT" log "$pid" | grep -q "_hanging.so loaded"; do :; done
interrupt
kill -INT "$client"
result=0
wait "$client" 2>/dev/null || result=$?
[[ $result == 130 ]] || fail "the second signal ended it with $result"
expect 4 "the file's entry \(MOULT_UPDATE\) has not returned in time; it keeps running, and what it submits is withdrawn" \
  "$MOULT" apply "$pid" "$BINARIES/live_control_hanging.so" --timeout 0.5
