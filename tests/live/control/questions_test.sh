# What can be asked of a program, for people and for machines.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

expect 0 "$pid +$name +listening" "$MOULT" ps
expect 0 "\"pid\":$pid,.*\"state\":\"listening\"" "$MOULT" ps --json
expect 0 "managers: main" "$MOULT" status "$name"
expect 0 "\"pid\":$pid" "$MOULT" status "$pid" --json
expect 0 "FUNCTION.* $name +.*\.\.\. and [0-9]+ more: give more of the name, or --most [0-9]+" \
  "$MOULT" functions "$name" --most 3
[[ $("$MOULT" functions "$name" --most 3 | grep -c " $name ") == 3 ]] || fail "the program's own do not come first"
expect 0 "answer\(\)" "$MOULT" functions "$name" answer
expect 0 'no function has "there is none' "$MOULT" functions "$name" "there is none"
expect 0 "main" "$MOULT" threads "$name"
expect 0 "main\+0x.*moult::ThreadedManager manager: at 0x[0-9a-f]+" "$MOULT" threads "$name" --locals
expect 0 '"locals":\[.*\{"name":"manager","type":"moult::ThreadedManager","where":"at 0x' \
  "$MOULT" threads "$name" --locals --json
for each in {1..16}; do
  "$MOULT" threads "$name" --timeout 120 >"$base/threads.$each" & asking[each]=$!
done
for each in "${asking[@]}"; do wait "$each" || fail "one of many askers ended with $?"; done
expect 0 "threads" "$MOULT" status "$name"
if grep -q libasan "/proc/$pid/maps"; then
  echo "not looked at: resident memory, as the address sanitizer keeps what is freed"
else
  resident=$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status")
  ((resident < 30000)) || fail "$resident KB stay resident after many have asked at once"
fi
expect 0 '"threads":\[\{"id":' "$MOULT" threads "$name" --json
expect 0 "" "$MOULT" set "$name" loglevel 2
expect 0 '"log_level":2' "$MOULT" status "$name" --json
expect 0 "" "$MOULT" set "$name" logpath "$base/log"
expect 2 "loglevel takes 0" "$MOULT" set "$name" loglevel 9
expect 3 "no/such/folder" "$MOULT" set "$name" logpath "$base/no/such/folder"
expect 0 "applied" "$MOULT" apply "$name" "$BINARIES/live_control_answer.so"
[[ $("$MOULT" functions "$name" answer | grep -c " $name .*[^_]answer()  (redefined)") == 1 ]] ||
  fail "not exactly the function is marked that was redefined: $("$MOULT" functions "$name" answer)"
expect 0 "applied" "$MOULT" apply "$name" "$BINARIES/live_control_answer.so"
expect 0 "answer_v2\(\) \(shadowed by update 2\).*redefined as answer_v2\(\)$" "$MOULT" status "$name"
expect 0 "answer: rolled back" "$MOULT" rollback "$name" 2
[[ $("$MOULT" status "$name") != *"shadowed by"* ]] || fail "a change is shadowed by one that is not in force"
grep -q "answer" "$base/log" || fail "nothing in the log's file: $(cat "$base/log")"
expect 0 "answer" "$MOULT" log "$name"
expect 0 '"events":\[\{"number":' "$MOULT" log "$name" --json
for command in ps apply check build status threads functions objects log rollback set; do
  expect 0 "Examples:" "$MOULT" "$command" --help
done

# Two of one name: the pids are listed.
first=$pid
start_target
expect 5 "2 programs of that name run; give one of the pids.*$first" "$MOULT" status "$name"
expect 0 "$name \(pid $first\)" "$MOULT" status "$first"

# A program that was killed leaves a socket, its copies of updates and its page of progress, until the next moult ps or listener.
leftovers() { find "$XDG_RUNTIME_DIR/moult" -name "$1.*" | wc -l; }
kill_target() {
  expect 0 "applied" "$MOULT" apply "$pid" "$BINARIES/live_control_answer.so"
  kill -KILL "$pid"
  wait "$pid" || true
  [[ $(leftovers "$pid") == 3 ]] || fail "a killed program leaves $(ls "$XDG_RUNTIME_DIR/moult")"
}
kill_target
"$MOULT" ps >"$base/ps" 2>&1 || fail "moult ps: $(cat "$base/ps")"
[[ $(leftovers "$pid") == 0 ]] || fail "moult ps has left $(ls "$XDG_RUNTIME_DIR/moult")"
start_target
kill_target
killed=$pid
start_target
[[ $(leftovers "$killed") == 0 ]] || fail "a listener's start has left $(ls "$XDG_RUNTIME_DIR/moult")"
expect 0 "$pid +$name +listening" "$MOULT" ps
