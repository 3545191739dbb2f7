#!/usr/bin/env bash
# usage: ./test.sh [solution]   The trace must be tic, tac in turn, then tic2, tac2 in turn forever.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

lines_before=4
lines_after=6

check_trace() {
  local text expected=tic version=''
  for text in "$@"; do
    if [[ $expected == tic && $text == tic2 ]]; then version=2; fi
    [[ $text != "$expected"2 || -n $version ]] || wrong "\"$text\" after tic: the clock was changed between tic and tac"
    [[ $text == "$expected$version" ]] || wrong "\"$text\" where $expected$version was expected"
    [[ $expected == tic ]] && expected=tac || expected=tic
  done
  [[ -n $version ]] || wrong "tic and tac until the end: they were not replaced"
}

run_exercise step3_exercise3 "$@"
