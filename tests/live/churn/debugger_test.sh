# The same in a program that gdb is attached to, and in one whose system calls strace follows.
. "$(dirname "$0")/lib.sh"

# A traced program gets no signal that its tracer does not pass on, so the tracers go first.
tracers=()
finish_traced() {
  local tracer
  for tracer in "${tracers[@]}"; do kill -KILL "$tracer" 2>/dev/null || true; done
  finish
}
trap finish_traced EXIT

is_traced() { [[ $(awk '/^TracerPid/ { print $2 }' "/proc/$pid/status") != 0 ]]; }

# under NAME COMMAND...: all updates while it traces the program, which goes on when it lets go. 1 when it cannot.
under() {
  local name=$1 tracer
  shift
  command -v "$name" >/dev/null || { echo "skipped: $name is not installed"; return 1; }
  start_target
  "$@" -p "$pid" >"$base/$name" 2>&1 </dev/null &
  tracer=$!
  tracers+=("$tracer")
  until is_traced; do
    kill -0 "$tracer" 2>/dev/null || { echo "skipped: $name cannot attach: $(tail -1 "$base/$name")"; return 1; }
  done
  live_on 1 # it was stopped while the tracer looked at it
  every_kind 20
  is_traced || fail "$name has let go of the program: $(tail -3 "$base/$name")"
  kill -INT "$tracer"
  wait "$tracer" || true
  live_on 20
  end_target
}

tried=0
under gdb gdb -batch -ex "handle SIG64 nostop noprint pass" -ex continue && tried=1
under strace strace -f -o /dev/null && tried=1
((tried)) || exit 77 # skipped
