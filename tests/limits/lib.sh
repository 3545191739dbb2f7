# Sourced by the tests: what those of the command have, and the words of this folder's program.
. "$(dirname "${BASH_SOURCE[0]}")/../live/control/lib.sh"

# say COMMAND: its answer.
say() {
  local line
  echo "$1" >&8
  read -r line <&9 || fail "the program ended: $(cat "$base/errors")"
  echo "$line"
}

versions() {
  local now
  now=$(say versions)
  [[ $now == "$1" ]] || fail "the versions of answer, question and stays are $now instead of $1"
}

# A sum of the program's own machine code, as it is in its memory; always the same where that may not be read.
code() {
  local first last
  while IFS=- read -r first last; do
    dd if="/proc/$pid/mem" bs=4096 skip=$((0x$first / 4096)) count=$(((0x$last - 0x$first) / 4096)) status=none 2>&1
  done < <(awk -v program="$(readlink "/proc/$pid/exe")" '$2 ~ /x/ && $6 == program { print $1 }' "/proc/$pid/maps") |
    sha256sum
}

# refused CODE PATTERN FILE [option]: with the program as it was, and a good update none the worse for it.
refused() {
  local code=$1 pattern=$2 file=$3 before
  shift 3
  versions 111
  before=$(code)
  expect "$code" "$pattern" "$MOULT" apply "$pid" "$file" "$@"
  versions 111
  [[ $(code) == "$before" ]] || fail "$file was refused, and the program's code is another"
  expect 0 "answer: applied" "$MOULT" apply "$pid" "$BINARIES/limits_answer_2.so"
  versions 211
  [[ $(code) != "$before" ]] || echo "not looked at: the program's code, which may not be read"
  expect 0 "answer: rolled back" "$MOULT" rollback "$pid" answer
  [[ $(code) == "$before" ]] || fail "an update was rolled back, and the program's code is another"
}
