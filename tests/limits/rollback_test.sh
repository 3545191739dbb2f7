# The last update is rolled back, or all; and of several files all are applied or none.
. "$(dirname "$0")/lib.sh"
start_target
before=$(code)

expect 3 "no update is applied" "$MOULT" rollback "$pid"
expect 0 "no update is applied to" "$MOULT" rollback "$pid" --all

expect 0 "answer: applied.*question: applied" \
  "$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so" "$BINARIES/limits_question_2.so"
versions 221
expect 0 "^question: rolled back in .*\(pid $pid\)$" "$MOULT" rollback "$pid"
versions 211
expect 0 "^answer: rolled back" "$MOULT" rollback "$pid"
[[ $(code) == "$before" ]] || fail "all was rolled back, and the program's code is another"

# All: the last one first, after what waits has been withdrawn.
for update in answer_2 question_2 answer_3; do
  expect 0 "applied" "$MOULT" apply "$pid" "$BINARIES/limits_$update.so"
done
versions 321
[[ $(say stay) == stays ]] || fail "no thread stays"
expect 4 "keeps trying" "$MOULT" apply "$pid" "$BINARIES/limits_patient.so" --timeout 0.1 --keep-trying
expect 2 "excludes" "$MOULT" rollback "$pid" answer --all
expect 0 $'^stays: withdrawn in .*\nanswer: rolled back in .*\nquestion: rolled back in .*\nanswer: rolled back in [^\n]*$' \
  "$MOULT" rollback "$pid" --all
[[ $(say "let go") == gone ]] || fail "it is still there"
versions 111
[[ $(code) == "$before" ]] || fail "all was rolled back, and the program's code is another"

# Of several files the second is refused, or is not applied in time.
expect 3 "answer: applied.*anwser: no function of that name.*answer: rolled back in .*, as .*limits_refused_missing.so was not applied" \
  "$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so" "$BINARIES/limits_refused_missing.so" "$BINARIES/limits_question_2.so"
versions 111
[[ $(code) == "$before" ]] || fail "the first file was rolled back, and the program's code is another"
[[ $(say stay) == stays ]] || fail "no thread stays"
expect 4 "answer: applied.*stays: withdrawn.*answer: rolled back" \
  "$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so" "$BINARIES/limits_patient.so" --timeout 3
[[ $(say "let go") == gone ]] || fail "it is still there"
versions 111
expect 2 "--keep-trying takes one file" \
  "$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so" "$BINARIES/limits_question_2.so" --keep-trying

# All are compiled before the first is sent.
mkdir "$base/source"
echo "this does not compile" >"$base/source/broken.cpp"
sent=$("$MOULT" status "$pid")
expect 2 "does not compile" "$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so" "$base/source/broken.cpp"
[[ $("$MOULT" status "$pid") == "$sent" ]] || fail "a file was sent before all were compiled"
