# An update's way into a program and back, and every exit code on the way.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

[[ $(answer) == 1 ]] || fail "the program is not as it was written"
expect 0 "answer: nothing stands against it" "$MOULT" check "$name" "$BINARIES/live_control_answer.so"
[[ $(answer) == 1 ]] || fail "a dry run has changed something"
expect 0 "answer: applied in .* to $name \(pid $pid\).*; paused .*, [0-9]+ thread" \
  "$MOULT" apply "$name" "$BINARIES/live_control_answer.so"
[[ $(answer) == 2 ]] || fail "the update is not in force"
expect 0 "answer +applied" "$MOULT" status "$pid"
expect 0 "answer: rolled back" "$MOULT" rollback "$name" answer
[[ $(answer) == 1 ]] || fail "the update is still in force"
expect 3 "no update of that name is in force" "$MOULT" rollback "$name" answer

# From source, with the program's own flags.
expect 0 "answer: applied" "$MOULT" apply "$name" "$SOURCES/answer_update.cpp"
[[ $(answer) == 2 ]] || fail "the compiled update is not in force"
expect 2 "does not compile with the flags of .*target.cpp" "$MOULT" apply "$name" "$SOURCES/broken_source.cpp"
expect 0 "built for $name" "$MOULT" build "$name" "$SOURCES/answer_update.cpp" -o "$base/built.so"
expect 0 '"ok":true.*"state":"applied"' "$MOULT" apply "$name" "$base/built.so" --json
[[ -z $(ls "$XDG_CACHE_HOME/moult") ]] || fail "something was left in the cache"

# Refusals.
expect 3 "this update wants nothing to do with you" "$MOULT" apply "$name" "$BINARIES/live_control_throwing.so"
expect 3 "build id" "$MOULT" apply "$name" "$BINARIES/live_control_foreign.so"
expect 3 '"ok":false,"error":\{"code":"build_id_mismatch"' "$MOULT" apply "$name" "$BINARIES/live_control_foreign.so" --json
expect 0 "warning: .*as forced.*answer: applied" "$MOULT" apply "$name" "$BINARIES/live_control_foreign.so" --force
expect 3 "error" "$MOULT" apply "$name" "$SOURCES/lib.sh" --json
expect 2 "missing.so" "$MOULT" apply "$name" "$base/missing.so"
expect 2 "" "$MOULT" dance
expect 5 "there is no process 999999999" "$MOULT" status 999999999
expect 5 "no program of that name listens" "$MOULT" status nobody-at-all
expect 5 '"ok":false.*"code":"not_found"' "$MOULT" status nobody-at-all --json
[[ $(answer) == 2 ]] || fail "the program did not survive it"
