# The command is killed while it builds or sends an update, and visitors come: the update is in force then or it is not,
# nothing hangs, and the next one applies.
. "$(dirname "$0")/lib.sh"
start_server
begin_load 5

# Each request has a thread of this name in the server, and the manager's, which the first one made, is called so too.
command_threads() { cat /proc/"$pid"/task/*/comm 2>/dev/null | grep -cx "moult command" || true; }

# Asked twice: what the command sent may be read after the first question.
is_settled() {
  local status managers
  for _ in 1 2; do
    status=$("$MOULT" status "$pid" --json) || fail "the server is gone"
    managers=0
    [[ $status != *'"managers":["web server"]'* ]] || managers=1
    [[ ! $status =~ '"state":"'(queued|active) ]] && (($(command_threads) == managers)) || return 1
  done
}

is_in_force() {
  [[ $("$MOULT" status "$pid" --json) == *'"name":"'"$1"'","manager":"web server","state":"applied"'* ]]
}

# Whatever is in force is taken back.
take_back() {
  local update
  wait_until "nothing is under way" is_settled
  for update in log-in Page Session; do
    if is_in_force "$update"; then rolled_back "$update"; fi
  done
  old_version
  served=$((served + 1))
}

for seconds in 0 0.02 0.1 0.5; do
  "$MOULT" apply "$pid" "$SOLUTION" >/dev/null 2>&1 &
  command=$!
  sleep "$seconds"
  kill -KILL "$command" 2>/dev/null || true
  wait "$command" 2>/dev/null || true
  take_back
done

"$MOULT" apply "$pid" "$EXERCISE/solution.cpp" >/dev/null 2>&1 &
command=$!
sleep 0.5
kill -KILL "$command"
wait "$command" 2>/dev/null || true
take_back

# What a copy that was broken off leaves.
head -c "$(($(stat -c %s "$SOLUTION") / 2))" "$SOLUTION" >"$base/half.so"
expect 3 "half.so: " "$MOULT" apply "$pid" "$base/half.so"

applied
new_version
rolled_back log-in Page Session
end_load
counts_are_right
