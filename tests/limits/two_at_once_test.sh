# Two commands at a time: both come through, none is lost, and the program has the newest of each function.
. "$(dirname "$0")/lib.sh"
start_target

for round in 2 3 2 3 2; do
  "$MOULT" apply "$pid" "$BINARIES/limits_answer_$round.so" >"$base/one" 2>&1 &
  one=$!
  "$MOULT" apply "$pid" "$BINARIES/limits_question_$round.so" >"$base/two" 2>&1 &
  two=$!
  wait "$one" || fail "the first of two at once: $(cat "$base/one")"
  wait "$two" || fail "the second of two at once: $(cat "$base/two")"
  versions "$round${round}1"
done

# Ten are in force, and they were carried out in the order in which they came.
"$MOULT" status "$pid" --json >"$base/status"
[[ $(grep -o '"state":"applied"' "$base/status" | wc -l) == 10 ]] || fail "some update was lost: $(cat "$base/status")"
"$MOULT" log "$pid" --json >"$base/log"
completed=$(grep -o '"kind":"update_completed"[^}]*"update_id":[0-9]*\|"update_id":[0-9]*[^}]*"kind":"update_completed"' "$base/log" |
  grep -o '"update_id":[0-9]*' | cut -d: -f2 | tr '\n' ' ')
[[ $completed == "1 2 3 4 5 6 7 8 9 10 " ]] || fail "completed in the order $completed"
