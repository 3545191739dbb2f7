# A program ends with an update applied: its last calls find the update's static objects alive.
. "$(dirname "$0")/../control/lib.sh"

say() {
  local line
  echo "$1" >&8
  read -r line <&9 || fail "the program ended: $(cat "$base/errors")"
  echo "$line"
}

start_target
[[ $(say greet) == hello ]] || fail "the program is not as it was written"
expect 0 "greeting: applied" "$MOULT" apply "$pid" "$UPDATE"
greeting="namespace function array of two one that is too long for a short string, another, and a last one"
[[ $(say thread) == "$greeting" ]] || fail "the update is not active"
read -r line <&9
[[ $line == "object of the thread ends" ]] || fail "an object of a thread that has ended: $line"

echo end >&8
rest=$(cat <&9)
wait "$pid" || fail "the program ended with $?: $(cat "$base/errors")"
[[ $rest == "shared object ends
the update's function: $greeting
function: $greeting
destructor: $greeting
thread: $greeting
object of the thread ends" ]] || fail "the program's last words are: $rest"
[[ ! -s $base/errors ]] || fail "the program complains: $(cat "$base/errors")"
