# A program without a free descriptor: refused while there is none, applied when there is one again.
. "$(dirname "$0")/lib.sh"
if ! command -v prlimit >/dev/null; then
  echo "not tested: needs prlimit"
  exit 77
fi
start_target
versions 111
expect 0 "answer: applied" "$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so"

# The lowest number that is free is one more than the program can have, then its last, then the last but one, ...
lowest=0
while [[ -e /proc/$pid/fd/$lowest ]]; do lowest=$((lowest + 1)); done
before=$(prlimit --pid "$pid" --nofile --noheadings --output SOFT)

# Not even the connection can be taken in: it is closed, and the listener lives.
prlimit --pid "$pid" --nofile="$lowest":
expect 5 "closed the connection" "$MOULT" status "$pid"
prlimit --pid "$pid" --nofile="$before":
expect 0 "answer +applied" "$MOULT" status "$pid"

prlimit --pid "$pid" --nofile=$((lowest + 1)):
expect 3 "Too many open files" "$MOULT" apply "$pid" "$BINARIES/limits_question_2.so"
versions 211
for free in 2 3 4 5; do
  prlimit --pid "$pid" --nofile=$((lowest + free)):
  result=0
  output=$("$MOULT" apply "$pid" "$BINARIES/limits_question_2.so" 2>&1) || result=$?
  if ((result == 0)); then
    versions 221
    expect 0 "rolled back" "$MOULT" rollback "$pid" question
  else
    ((result == 1 || result == 3)) || fail "with $free descriptors: ended with $result: $output"
    [[ $output =~ descriptor|"open files" ]] || fail "with $free descriptors: no reason in: $output"
  fi
  versions 211
done
prlimit --pid "$pid" --nofile="$before":
expect 0 "question: applied" "$MOULT" apply "$pid" "$BINARIES/limits_question_2.so"
versions 221
