# Functions that are never quiescent are told of before an update waits for them.
. "$(dirname "$0")/../control/lib.sh"
start_target

next="waits that long: let the loop call a function, and replace that one; or leave the call at a static update point"
expect 0 "warning: main is on the stack of .*\($pid\) until the program ends; .*$next.*check passed" \
  "$MOULT" check "$pid" "$BINARIES/live_endless_main.so"
expect 0 "warning: app::serve\(\) is active in .*, and has no return instruction, so that call never ends; .*$next.*check passed" \
  "$MOULT" check "$pid" "$BINARIES/live_endless_serve.so"
expect 0 "warning: app::work\(\) is what .* runs from its beginning, so it is active until that thread ends; .*$next.*check passed" \
  "$MOULT" check "$pid" "$BINARIES/live_endless_work.so"
expect 0 "^update: check passed" "$MOULT" check "$pid" "$BINARIES/live_endless_turn.so"

# An update that waits for such a function says so too.
expect 1 "app::serve\(\) is active in .*; it has no return instruction: .*$next" \
  "$MOULT" apply "$pid" "$BINARIES/live_endless_serve.so"
expect 0 "update: applied" "$MOULT" apply "$pid" "$BINARIES/live_endless_turn.so"
