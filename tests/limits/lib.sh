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
