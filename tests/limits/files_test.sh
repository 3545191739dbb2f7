# Files that are refused: each with its reason, with the program as it was, and an update applied right after it.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

# refused CODE PATTERN FILE [option]: and a good update is none the worse for it.
refused() {
  local code=$1 pattern=$2 file=$3
  shift 3
  versions 111
  expect "$code" "$pattern" "$MOULT" apply "$name" "$file" "$@"
  versions 111
  expect 0 "answer: applied" "$MOULT" apply "$name" "$BINARIES/limits_answer_2.so"
  versions 211
  expect 0 "answer: rolled back" "$MOULT" rollback "$name" answer
}

echo "This is no program text." >"$base/text.so"
refused 3 "text.so: .*not.* ELF" "$base/text.so"
: >"$base/empty.so"
refused 3 "empty.so: " "$base/empty.so"
refused 3 "limits_plain.so: .*MOULT_UPDATE" "$BINARIES/limits_plain.so"

good=$BINARIES/limits_question_2.so
size=$(stat -c %s "$good")
for part in 2 3 10 100; do
  head -c $((size - size / part)) "$good" >"$base/half.so"
  refused 3 "half.so: .*" "$base/half.so"
done
head -c 100 "$good" >"$base/half.so"
refused 3 "half.so: .*" "$base/half.so"

refused 3 "build id .*force" "$BINARIES/limits_foreign.so"
expect 0 "warning: .*build id .*as forced.*question: applied" "$MOULT" apply "$name" "$BINARIES/limits_foreign.so" --force
versions 121
expect 0 "question: rolled back" "$MOULT" rollback "$name" question

cp "$good" "$base/mine.so"
chmod 666 "$base/mine.so"
refused 3 "mine.so: may be written by everybody; chmod o-w" "$base/mine.so"
chmod 644 "$base/mine.so"
mkfifo "$base/pipe.so"
refused 3 "pipe.so: is no regular file" "$base/pipe.so"

if ((EUID == 0)); then
  chown 65534 "$base/mine.so"
  refused 3 "mine.so: belongs to user 65534, and this process runs as 0" "$base/mine.so"
  chown 0:65534 "$base/mine.so"
  chmod 664 "$base/mine.so"
  refused 3 "mine.so: may be written by another group; chmod g-w" "$base/mine.so"
else
  echo "not tested: files of other users and groups (needs root)"
fi

expect 0 "question: applied" "$MOULT" apply "$name" "$good"
versions 121
