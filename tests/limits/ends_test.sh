# A program that ends while an update is under way.
. "$(dirname "$0")/lib.sh"

start_target
expect 5 "$pid.*: .*closed|$pid.*ended" "$MOULT" apply "$pid" "$BINARIES/limits_exiting.so"
wait "$pid" || fail "it did not end as the update told it to"

start_target
[[ $(say stay) == stays ]] || fail "no thread stays"
"$MOULT" apply "$pid" "$BINARIES/limits_stays_2.so" >"$base/apply" 2>&1 &
client=$!
until "$MOULT" status "$pid" | grep -q "stays is active\|stays() is active\|active in stayer"; do :; done
kill -KILL "$pid"
result=0
wait "$client" || result=$?
[[ $result == 5 ]] || fail "the command ended with $result instead of 5: $(cat "$base/apply")"
