# An update's way into a program and back, and every exit code on the way.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

[[ $(answer) == 1 ]] || fail "the program is not as it was written"
expect 0 "answer: check passed" "$MOULT" check "$name" "$BINARIES/live_control_answer.so"
[[ $(answer) == 1 ]] || fail "a dry run has changed something"
ran="the update's code ran in $name \(pid $pid\) \(its entry, .*\); moult itself changed nothing"
expect 0 "check passed.*$ran" "$MOULT" check "$name" "$BINARIES/live_control_answer.so"
expect 0 '"code_ran":true' "$MOULT" check "$name" "$BINARIES/live_control_answer.so" --json
expect 0 "answer: applied in .* to $name \(pid $pid\).*; paused .*, [0-9]+ thread" \
  "$MOULT" apply "$name" "$BINARIES/live_control_answer.so"
[[ $(answer) == 2 ]] || fail "the update is not in force"
expect 0 "answer +applied" "$MOULT" status "$pid"
expect 0 "answer: rolled back" "$MOULT" rollback "$name" answer
[[ $(answer) == 1 ]] || fail "the update is still in force"
expect 3 "no such update is applied or waits" "$MOULT" rollback "$name" answer

# What could not be made sure of is told on every way.
undescribed="warning: undescribed\(int\): .*undescribed: "
expect 0 "${undescribed}check passed" "$MOULT" check "$name" "$BINARIES/live_control_undescribed.so"
expect 0 "${undescribed}applied" "$MOULT" apply "$name" "$BINARIES/live_control_undescribed.so"

# From source, with the program's own flags.
expect 0 "answer: applied" "$MOULT" apply "$name" "$SOURCES/answer_update.cpp"
[[ $(answer) == 2 ]] || fail "the compiled update is not in force"
expect 2 "does not compile with the flags of .*target.cpp" "$MOULT" apply "$name" "$SOURCES/broken_source.cpp"
place="\"file\":\"$SOURCES/broken_source.cpp\",\"line\":3,\"column\":[0-9]+,\"text\":\"[^\"]+"
for command in apply check "build -o $base/broken.so"; do
  # shellcheck disable=SC2086
  expect 2 "\"code\":\"invalid_argument\".*\"diagnostics\":\[.*\"severity\":\"error\",$place" \
    "$MOULT" $command "$name" "$SOURCES/broken_source.cpp" --json
done
expect 0 "built for $name" "$MOULT" build "$name" "$SOURCES/answer_update.cpp" -o "$base/built.so"
checked=$("$MOULT" check "$name" "$base/built.so" 2>&1) || fail "the built update is refused: $checked"
[[ $checked != *"has no checksum"* ]] || fail "moult build has written no checksum: $checked"
expect 0 '"ok":true.*"state":"applied"' "$MOULT" apply "$name" "$base/built.so" --json
expect 0 "check passed" "$MOULT" check "$name" "$SOURCES/answer_update.cpp"
expect 0 "answer: applied" "$MOULT" apply "$name" "$SOURCES/answer_update.cpp"
[[ -z $(ls "$XDG_CACHE_HOME/moult") ]] || fail "something was left in the cache"

# A pointer to an inline function that leads to the update's own copy of it.
expect 3 "hidden_answer\(int\): the old function given is the update's own copy of it at .*target.hpp:[0-9]+ in .*function<...>\(\"hidden_answer\"\)" \
  "$MOULT" apply "$name" "$BINARIES/live_control_hidden.so"
[[ $(answer hidden) == 10 ]] || fail "a refused update is in force"
expect 0 "hidden: applied" "$MOULT" apply "$name" "$BINARIES/live_control_hidden_by_name.so"
[[ $(answer hidden) == 20 ]] || fail "the program's own copy was not redefined"

# An entry that hands in nothing.
nothing="live_control_empty.so: its entry \(MOULT_UPDATE\) submitted no update to a manager.*call add_update"
expect 3 "$nothing" "$MOULT" apply "$name" "$BINARIES/live_control_empty.so"
expect 3 "$nothing" "$MOULT" check "$name" "$BINARIES/live_control_empty.so"
expect 0 "$nothing" "$MOULT" log "$name"
expect 3 '"ok":false,"error":\{"code":"not_an_update"' "$MOULT" apply "$name" "$BINARIES/live_control_empty.so" --json

# An entry that changes the program by itself.
direct="answer\(\) redefined as answer_v3\(\)"
expect 0 "warning: would be made: $direct: by the file's entry itself" "$MOULT" check "$name" "$BINARIES/live_control_direct.so"
[[ $(answer) == 2 ]] || fail "a dry run of an entry has changed something"
! "$MOULT" log "$name" | grep -q "outside of any update" || fail "a dry run tells of a change"
expect 0 "warning: $direct: by the file's entry itself" "$MOULT" apply "$name" "$BINARIES/live_control_direct.so"
[[ $(answer) == 3 ]] || fail "the entry has not changed the program"
expect 0 "$direct, outside of any update" "$MOULT" log "$name"

throws=$BINARIES/live_control_direct_throws.so
expect 1 "warning: answer\(\) redefined as answer_v4\(\).*throws all the same" "$MOULT" apply "$name" "$throws"
[[ $(answer) == 4 ]] || fail "what the entry changed did not stay"
expect 1 '"changed_directly":true' "$MOULT" apply "$name" "$throws" --json
expect 3 "would be made: .*throws all the same" "$MOULT" check "$name" "$throws"

# An entry that waits for its update, and goes on as if it were in force.
waits=$BINARIES/live_control_waits.so
expect 0 "warning: the file's entry waits for answer, and what it does.* was not looked at.*check passed" \
  "$MOULT" check "$name" "$waits"
expect 0 "answer: applied" "$MOULT" apply "$name" "$waits"

# A header that was changed after the program was built.
mkdir "$base/source"
sed 's|#include "target.hpp"|#include "late target.hpp"|' "$SOURCES/answer_update.cpp" >"$base/source/late_update.cpp"
cp "$SOURCES/target.hpp" "$base/source/late target.hpp"
late="late_update.cpp: includes .*late target.hpp, written after the program that runs as $name \(pid $pid\) was built"
for command in apply check "build -o $base/late.so"; do
  # shellcheck disable=SC2086
  expect 3 "$late.*compile against the headers it was built from" "$MOULT" $command "$name" "$base/source/late_update.cpp"
done
expect 0 "warning: .*$late.*answer: applied" "$MOULT" apply --force "$name" "$base/source/late_update.cpp"
touch -d "2 days ago" "$base/source/late target.hpp"
expect 0 "answer: applied" "$MOULT" apply "$name" "$base/source/late_update.cpp"

# Refusals.
expect 3 "this update wants nothing to do with you" "$MOULT" apply "$name" "$BINARIES/live_control_throwing.so"
expect 3 "build id" "$MOULT" apply "$name" "$BINARIES/live_control_foreign.so"
expect 3 '"ok":false,"error":\{"code":"build_id_mismatch"' "$MOULT" apply "$name" "$BINARIES/live_control_foreign.so" --json
expect 0 "warning: .*as forced.*answer: applied" "$MOULT" apply "$name" "$BINARIES/live_control_foreign.so" --force
expect 1 "possible: applied to .*only some are applied: possible; not applied: impossible" \
  "$MOULT" apply "$name" "$BINARIES/live_control_partial.so"
waiting=$BINARIES/live_control_waiting.so
told="waiting: withdrawn from $name .*: not applied.*impossible: refused.*this cannot be done"
expect 4 "$told.*\(pid $pid\): the entry came to no good end" "$MOULT" apply "$pid" "$waiting" --timeout 1
expect 4 '"code":"invalid_argument".*"file_refused":true.*"withdrawn":true.*"state":"aborted"' \
  "$MOULT" apply "$pid" "$waiting" --timeout 1 --json
expect 0 '"state":"aborted"' "$MOULT" status "$pid" --json
[[ $("$MOULT" status "$pid" --json) != *'"state":"'@(queued|active)* ]] || fail "a withdrawn update goes on"
expect 4 "waiting: (queued|active).*moult keeps trying" "$MOULT" apply "$pid" "$waiting" --timeout 1 --keep-trying
expect 0 "waiting: withdrawn" "$MOULT" rollback "$pid" waiting
expect 3 "impossible: refused.*the entry came to no good end" "$MOULT" check "$pid" "$waiting"
expect 3 "possible: check passed.*impossible: refused" \
  "$MOULT" check "$name" "$BINARIES/live_control_partial.so"
expect 3 "error" "$MOULT" apply "$name" "$SOURCES/lib.sh" --json
expect 2 "missing.so" "$MOULT" apply "$name" "$base/missing.so"
expect 2 'there is no command "dance"' "$MOULT" dance
expect 2 "a command is missing" "$MOULT"
expect 2 '--after: takes a whole number from 0 on, not "-1"' "$MOULT" log "$name" --after -1
expect 2 '--timeout: takes seconds, from 0.001 to 86400 \(a day\), not "nan"' "$MOULT" status "$name" --timeout nan
expect 2 "UPDATE: must not be empty" "$MOULT" rollback "$name" ""
expect 2 "TARGET: must not be empty" "$MOULT" status ""
expect 2 "is no C\+\+ source" "$MOULT" build "$name" "$BINARIES/live_control_answer.so" -o "$base/y.so"
expect 2 '^\{"ok":false,.*is no C\+\+ source' "$MOULT" build "$name" "$BINARIES/live_control_answer.so" -o "$base/y.so" --json
[[ ! -e $base/y.so ]] || fail "moult build has written something"
expect 3 "throwing_update.cpp: uses |wants nothing to do with you" "$MOULT" apply "$name" "$SOURCES/throwing_update.cpp"
expect 3 "unlinked_source.cpp: uses missing\(\)" "$MOULT" apply "$name" "$SOURCES/unlinked_source.cpp"
expect 0 "unlinked_source.cpp: uses missing\(\)" "$MOULT" log "$name"
expect 5 "there is no process 999999999" "$MOULT" status 999999999
expect 5 "no program of that name listens" "$MOULT" status nobody-at-all
expect 5 '"ok":false.*"code":"not_found"' "$MOULT" status nobody-at-all --json
[[ $(answer) == 2 ]] || fail "the program did not survive it"
