# A handler that never leaves, while visitors come: the update that needs it to leave gives up and says so, the old
# version serves, other updates apply, and so does this one once the handler has left. Nobody's request is lost.
. "$(dirname "$0")/lib.sh"
start_server
begin_load 5
expect 0 "staying: applied" "$MOULT" apply "$pid" "$BINARIES/web_staying.so" --timeout 120
(
  visit "/hello?stay"
  echo "$code $message" >"$base/stayed"
) &
started+=("$!")
is_inside() { "$MOULT" threads "$pid" | grep -q "Staying::do_get"; }
wait_until "a request stays in the handler" is_inside

expect 1 "log-in: failed.*Staying::do_get" "$MOULT" apply "$pid" "$SOLUTION" --timeout 120
old_version
expect 0 "apology: applied" "$MOULT" apply "$pid" "$BINARIES/web_apology.so" --timeout 120
says /nothing "Nothing to be seen here, sorry."

visit "/banana?go"
[[ $message == "Have a banana, stranger." ]] || fail "/banana?go says $answer"
wait_until "the request that stayed is answered" test -s "$base/stayed"
[[ $(<"$base/stayed") == "200 Hello, stranger!" ]] || fail "the request that stayed was answered by $(<"$base/stayed")"
served=$((served + 3))
rolled_back Page Session
applied
new_version
rolled_back log-in Page Session
end_load
counts_are_right
