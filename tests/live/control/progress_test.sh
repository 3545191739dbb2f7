# moult apply and moult objects: how far a conversion of many objects is, while it goes on.
. "$(dirname "$0")/lib.sh"

shown=$base/shown
export GO=$base/go

# await PATTERN FILE
await() {
  local _
  for _ in {1..1200}; do
    grep -Eqs "$1" "$2" && return
    sleep 0.05
  done
  fail "no \"$1\" in: $(cat "$2")"
}

# begin UPDATE: a program with many objects, of which the update converts some, and then stays.
begin() {
  rm -f "$GO"
  start_target "$BINARIES/live_control_pools" 20000
  "$MOULT" apply "$pid" "$BINARIES/live_control_pools_$1_update.so" >"$base/told" 2>"$shown" &
}

# In one stop: nobody in the program can be asked.
begin slow
await "^moult: app::Data to DataV2: [0-9]+ %, .* of 20 k objects" "$shown"
[[ ! -s $base/told ]] || fail "it is told of before it is over: $(cat "$base/told")"
apply=$!
"$MOULT" objects "$pid" >"$base/objects" 2>"$base/seen" &
await "^moult: app::Data to DataV2: [0-9]+ %" "$base/seen"
touch "$GO"
wait $! || fail "objects: $(cat "$base/seen")"
await "DataV2 \(made as app::Data\)" "$base/objects"
wait $apply || fail "apply: $(cat "$shown")"
await "applied" "$base/told"
[[ -e $XDG_RUNTIME_DIR/moult/$pid.progress ]] || fail "there is no page"

# Drained by a thread. What is no terminal is not kept waiting by apply.
begin drained
wait $! || fail "apply: $(cat "$shown")"
await "applied" "$base/told"
"$MOULT" objects -f "$pid" >"$base/told" 2>"$shown" &
await "^moult: app::Data to DataV2: [0-9]+ %, .* of 20 k objects" "$shown"
expect 0 '"drained":true' "$MOULT" objects "$pid" --json
touch "$GO"
wait $! || fail "objects: $(cat "$shown")"
await "AT FIRST USE" "$base/told"
[[ $("$MOULT" objects "$pid" --json) != *waiting* ]] || fail "it ends before the conversion does"

# On a terminal: a bar, and apply looks on until the rest is drained.
rm -f "$GO"
start_target "$BINARIES/live_control_pools" 20000
script -qefc "$MOULT apply $pid $BINARIES/live_control_pools_drained_update.so" "$base/screen" >"$base/told" 2>&1 &
await "\[#*\.*\] +[0-9]+ %  .* of 20 k objects.*app::Data to DataV2" "$base/screen"
touch "$GO"
wait $! || fail "apply: $(cat "$base/screen")"
expect 0 "DataV2" "$MOULT" objects -f "$pid"
expect 0 "waiting|pools" "$MOULT" objects -f "$pid" --json
