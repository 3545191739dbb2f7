# Threads that keep the program from being changed are named, and an update applies when they are gone.
. "$(dirname "$0")/lib.sh"
start_target

# What keeps an update waiting is told before it gives up for the first time.
[[ $(say stay) == stays ]] || fail "no thread stays"
"$MOULT" apply "$pid" "$BINARIES/limits_patient.so" --timeout 250 >/dev/null &
patient=$!
words="stays  *active: .*stays().* is active in stayer ([0-9]*) at .*, called from"
until "$MOULT" status "$pid" | grep -q "$words"; do :; done
[[ $(say "let go") == gone ]] || fail "it is still there"
wait "$patient" || fail "a patient update ended the command with $?"
expect 0 "stays: rolled back" "$MOULT" rollback "$pid" stays
versions 111

before=$(code)
[[ $(say stay) == stays ]] || fail "no thread stays"
expect 4 "stays: (queued|active) .*stays\(\) is active in stayer \([0-9]+\) at .*:[0-9]+, called from .*stay.* at .*target.cpp:[0-9]+" \
  "$MOULT" apply "$pid" "$BINARIES/limits_stays_2.so" --timeout 5 --keep-trying
versions 111
[[ $(code) == "$before" ]] || fail "an update waits, and the program's code is another"
expect 0 "answer: applied" "$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so"
versions 211
[[ $(say "let go") == gone ]] || fail "it is still there"
# It goes on by itself.
until "$MOULT" status "$pid" | grep -q "stays  *applied"; do :; done
versions 212

before=$(code)
[[ $(say deafen) == deaf ]] || fail "no thread is deaf"
expect 1 "question: failed .*deaf \([0-9]+\) blocks the signal that stops threads.*nothing was changed" \
  "$MOULT" apply "$pid" "$BINARIES/limits_question_3.so"
versions 212
[[ $(code) == "$before" ]] || fail "an update failed, and the program's code is another"
[[ $(say "let go") == gone ]] || fail "it is still there"
expect 0 "question: applied" "$MOULT" apply "$pid" "$BINARIES/limits_question_2.so"
versions 222
