#!/usr/bin/env bash
# Sourced by the tests: a folder of their own, a program to talk to, and words to say what is expected.
set -euo pipefail

base=$(mktemp -d)
export XDG_RUNTIME_DIR=$base/run XDG_CACHE_HOME=$base/cache NO_COLOR=1
mkdir -m 700 "$XDG_RUNTIME_DIR"
started=()

finish() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait || true
  rm -rf "$base"
}
trap finish EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Starts the program ($TARGET unless named) and waits until it is ready; sets pid. say/hear talk to the first one.
start_target() {
  local program=${1:-$TARGET}
  shift || true
  rm -f "$base/in" "$base/out"
  mkfifo "$base/in" "$base/out"
  "$program" "$@" <"$base/in" >"$base/out" 2>>"$base/errors" &
  pid=$!
  started+=("$pid")
  exec 8>"$base/in" 9<"$base/out"
  local line
  read -r line <&9 || fail "the program ended: $(cat "$base/errors")"
  [[ $line == ready ]] || fail "the program says $line"
}

# answer [hidden]: what the program's function says.
answer() {
  local line
  echo "${1:-}" >&8
  read -r line <&9
  echo "$line"
}

# expect CODE PATTERN command...: runs it, and its exit code and its output (both streams) must be as said.
expect() {
  local code=$1 pattern=$2 output result=0
  shift 2
  output=$("$@" 2>&1) || result=$?
  [[ $result == "$code" ]] || fail "$* ended with $result instead of $code: $output"
  [[ $output =~ $pattern ]] || fail "$*: no \"$pattern\" in: $output"
}
