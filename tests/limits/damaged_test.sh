# An update that changed on its way: single bits are flipped, or it is cut short. Each file is refused, or does what the
# whole one does; the program goes on in any case. MOULT_SEED repeats a run.
. "$(dirname "$0")/lib.sh"
seed=${MOULT_SEED-$RANDOM}
echo "MOULT_SEED=$seed"
RANDOM=$seed
start_target

good=$BINARIES/limits_question_2.so
size=$(stat -c %s "$good")
damaged=$base/damaged.so

# try WHAT: applies $damaged. The program's versions are as they were, or those of the update.
try() {
  local output result=0
  output=$("$MOULT" apply "$pid" "$damaged" 2>&1) || result=$?
  case $result in
    0)
      [[ $output == *"question: applied"* ]] || fail "$1: applied, but it says: $output"
      versions 121
      expect 0 "question: rolled back" "$MOULT" rollback "$pid" question
      ;;
    3) [[ $output == *"damaged.so: "* ]] || fail "$1: refused, but it says: $output" ;;
    *) fail "$1: apply ended with $result: $output" ;;
  esac
  versions 111
}

for ((i = 0; i < 60; ++i)); do
  # Half of them in the first pages: headers, notes and the dynamic linker's tables.
  at=$(((RANDOM * 32768 + RANDOM) % (i % 2 ? size : 4096)))
  bit=$((RANDOM % 8))
  byte=$(od -An -tu1 -j"$at" -N1 "$good")
  cp "$good" "$damaged"
  printf "\\x$(printf %02x $((byte ^ (1 << bit))))" | dd of="$damaged" bs=1 seek="$at" conv=notrunc status=none
  try "bit $bit of byte $at"
done

for ((i = 0; i < 30; ++i)); do
  left=$(((RANDOM * 32768 + RANDOM) % size))
  head -c "$left" "$good" >"$damaged"
  expect 3 "damaged.so: " "$MOULT" apply "$pid" "$damaged"
  versions 111
done

# Damage in the middle, in words.
cp "$good" "$damaged"
printf 'damage' | dd of="$damaged" bs=1 seek=$((size / 2)) conv=notrunc status=none
refused 3 "damaged.so: is damaged: .*build it again" "$damaged"

# A tool that changes the file on purpose needs the checksum written again. Without one there is a warning.
cp "$good" "$damaged"
strip --strip-debug "$damaged"
refused 3 "damaged.so: is damaged: .*moult checksum" "$damaged"
expect 0 "^$" "$MOULT" checksum "$damaged"
try "stripped"
expect 3 "limits_plain.so: has no note for a checksum" "$MOULT" checksum "$BINARIES/limits_plain.so"

expect 0 "question: applied" "$MOULT" apply "$pid" "$good"
versions 121
