# What can be asked of a program, for people and for machines.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

expect 0 "$pid +$name +listening" "$MOULT" ps
expect 0 "\"pid\":$pid,.*\"state\":\"listening\"" "$MOULT" ps --json
expect 0 "managers: main" "$MOULT" status "$name"
expect 0 "\"pid\":$pid" "$MOULT" status "$pid" --json
expect 0 "answer\(\)" "$MOULT" functions "$name" answer
expect 0 'no function has "there is none' "$MOULT" functions "$name" "there is none"
expect 0 "main" "$MOULT" threads "$name"
expect 0 '"threads":\[\{"id":' "$MOULT" threads "$name" --json
expect 0 "" "$MOULT" set "$name" loglevel 2
expect 0 '"log_level":2' "$MOULT" status "$name" --json
expect 0 "" "$MOULT" set "$name" logpath "$base/log"
expect 2 "loglevel takes 0" "$MOULT" set "$name" loglevel 9
expect 3 "system|" "$MOULT" set "$name" logpath "$base/no/such/folder"
expect 0 "applied" "$MOULT" apply "$name" "$BINARIES/live_control_answer.so"
grep -q "answer" "$base/log" || fail "nothing in the log's file: $(cat "$base/log")"
expect 0 "answer" "$MOULT" log "$name"
expect 0 '"events":\[\{"number":' "$MOULT" log "$name" --json
for command in ps apply check build status threads functions log rollback set; do
  expect 0 "Examples:" "$MOULT" "$command" --help
done

# Two of one name: the pids are listed.
first=$pid
start_target
expect 5 "2 programs of that name run; give one of the pids.*$first" "$MOULT" status "$name"
expect 0 "$name \(pid $first\)" "$MOULT" status "$first"

# A program that was killed leaves a socket that nobody listens on.
kill -KILL "$pid"
wait "$pid" || true
expect 0 "$pid +- +stale" "$MOULT" ps
[[ -S $XDG_RUNTIME_DIR/moult/$pid.sock ]] || fail "moult ps has removed a program's socket"
