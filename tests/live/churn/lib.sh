# Sourced by the tests of this folder: the program, and all kinds of update on it.
. "$(dirname "$0")/../control/lib.sh"

# state: sets seen, wrong, threads and children from what the program says of itself.
state() {
  echo state >&8
  read -r -t 120 seen wrong threads children <&9 || fail "the program is gone, or hangs: $(cat "$base/errors")"
  [[ $wrong == 0 ]] || fail "$wrong times something was wrong in a thread"
}

# Waits until so many threads more have come and gone, and some children.
live_on() {
  state
  local until_threads=$((threads + $1)) until_children=$((children + 2))
  while ((threads < until_threads || children < until_children)); do state; done
}

# Applies each kind of update and takes it back, while threads come and go. Once applied, each holds for everybody.
every_kind() {
  local kind
  for kind in function gate returns eager lazy; do
    expect 0 "$kind: applied" "$MOULT" apply "$pid" "$BINARIES/live_churn_$kind.so" --timeout 100
    live_on "$1"
    [[ $kind == eager || $kind == lazy || $seen == 2 ]] || fail "the function is of version $seen"
    expect 0 "$kind: rolled back" "$MOULT" rollback "$pid" "$kind" --timeout 100
    live_on "$1"
    [[ $seen == 1 ]] || fail "the function is of version $seen after it was taken back"
  done
}

# The program ends by itself, with 0 when all was well.
end_target() {
  exec 8>&-
  wait "$pid" || fail "the program ended with $?: $(cat "$base/errors")"
  echo "$threads threads, $children children"
}
