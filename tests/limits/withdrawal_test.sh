# An update that is not applied in time, or is not wanted any more, is withdrawn: it is not applied later.
. "$(dirname "$0")/lib.sh"
start_target
[[ $(say stay) == stays ]] || fail "no thread stays"
before=$(code)
reason="stays\(\) is active in stayer \([0-9]+\) at .*:[0-9]+, called from"

# apply_in_background: an update that waits; sets client.
apply_in_background() {
  "$MOULT" apply "$pid" "$BINARIES/limits_patient.so" --timeout 250 >"$base/apply" 2>&1 &
  client=$!
  until "$MOULT" status "$pid" | grep -Eq "stays  *active: .*$reason"; do :; done
}
nothing_waits() {
  local status
  status=$("$MOULT" status "$pid")
  [[ ! $status =~ (queued|active): ]] || fail "an update goes on: $status"
  [[ $(code) == "$before" ]] || fail "an update was withdrawn, and the program's code is another"
}

# By a signal, of which the command then ends.
for signal in INT TERM; do
  apply_in_background
  kill -"$signal" "$client"
  result=0
  wait "$client" 2>/dev/null || result=$?
  said=$(<"$base/apply")
  [[ $result == $((128 + $(kill -l "$signal"))) ]] || fail "SIG$signal ended it with $result: $said"
  [[ $said =~ "withdrawing it; another signal (Ctrl-C) ends the command" ]] || fail "it does not say so: $said"
  [[ $said =~ stays:\ withdrawn\ from\ .*:\ not\ applied:\ .*$reason ]] || fail "it does not say what became of it: $said"
  nothing_waits
done

# By the end of the time.
expect 4 "stays: withdrawn from .*: not applied: .*$reason" "$MOULT" apply "$pid" "$BINARIES/limits_patient.so" --timeout 2
nothing_waits
expect 4 '"error":\{"code":"timed_out","message":"stays: not applied in time, and withdrawn.*"withdrawn":true' \
  "$MOULT" apply "$pid" "$BINARIES/limits_patient.so" --timeout 2 --json
nothing_waits

# Unless it is left to moult.
expect 4 "stays: (queued|active) .*moult keeps trying" \
  "$MOULT" apply "$pid" "$BINARIES/limits_patient.so" --timeout 1 --keep-trying
"$MOULT" status "$pid" | grep -Eq "stays  *(queued|active)" || fail "it was not left to moult"

# One that comes behind it says so, before its own time is over.
"$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so" --timeout 250 >"$base/second" 2>&1 &
second=$!
stuck=$("$MOULT" status "$pid" | awk '$2 == "stays" && $3 ~ /^(active|queued)/ { print $1 }')
until grep -Eq "answer: waits behind stays \(update $stuck\) of manager main, which waits: .*$reason" "$base/second"; do
  kill -0 "$second" 2>/dev/null || fail "it does not wait: $(<"$base/second")"
done
expect 0 "stays: withdrawn" "$MOULT" rollback "$pid" "$stuck"
wait "$second" || fail "the second one was not applied: $(<"$base/second")"
versions 211
[[ $(say "let go") == gone ]] || fail "it is still there"
versions 211
