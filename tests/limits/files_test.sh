# Files that are refused: each with its reason, with the program as it was, and an update applied right after it.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

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
