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

# at_last PATTERN REFUSAL command...: it succeeds, and says PATTERN, after it was refused with REFUSAL for a while.
at_last() {
  local pattern=$1 refusal=$2 said
  shift 2
  for _ in {1..100}; do
    if said=$("$@" 2>&1); then
      [[ $said =~ $pattern ]] || fail "$*: no \"$pattern\" in: $said"
      return
    fi
    [[ $said =~ $refusal ]] || fail "$* failed: $said"
  done
  fail "$* was refused 100 times: $said"
}

# A debugger that gets no processor holds the program for longer than the moments that the command takes it for.
held="is stopped by a debugger"

# applied KIND: it is applied, and holds for everybody from then on. A local variable cannot be changed while a call is
# just entered or left.
applied() {
  local refusal=$held
  [[ $1 != local ]] || refusal="$held|just being entered or left|stands within a statement"
  at_last "$1: applied" "$refusal" "$MOULT" apply "$pid" "$BINARIES/live_churn_$1.so" --timeout 100
}
rolled_back() { at_last "$1: rolled back" "$held" "$MOULT" rollback "$pid" "$1" --timeout 100; }

# says QUESTION ANSWER: what the program answers.
says() {
  local heard
  heard=$(answer "$1")
  [[ $heard == "$2" ]] || fail "$1: $heard instead of $2"
}

# there_and_back KIND N: applies it and takes it back, and lives on after each.
there_and_back() {
  applied "$1"
  live_on "$2"
  case $1 in
    eager | lazy) ;;
    pointers) says operations 22 ;;
    *) [[ $seen == 2 ]] || fail "$1: the function is of version $seen" ;;
  esac
  rolled_back "$1"
  live_on "$2"
  [[ $seen == 1 ]] || fail "$1: the function is of version $seen after it was taken back"
  [[ $1 != pointers ]] || says operations 11
}

# forward KIND N: what is not taken back, but done once more the next time.
forward() {
  local question expected
  case $1 in
    restart) question=server expected=$(($(answer server) + 1)) ;;
    reboot) question=continued expected=$(($(answer continued) + 1)) ;;
    local) question=share expected=$((3 - $(answer share))) ;;
    visit | accessor) question=marks expected="$(($(answer marks | cut -d " " -f 1) + 1)) but for 0" ;;
  esac
  applied "$1"
  live_on "$2"
  says "$question" "$expected"
}

# Each kind of update in turn, while threads come and go.
every_kind() {
  local kind
  for kind in $KINDS; do
    case $kind in
      restart | reboot | local | visit | accessor) forward "$kind" "$1" ;;
      *) there_and_back "$kind" "$1" ;;
    esac
  done
}

# The program ends by itself, with 0 when all was well.
end_target() {
  exec 8>&-
  wait "$pid" || fail "the program ended with $?: $(cat "$base/errors")"
  echo "$threads threads, $children children"
}
