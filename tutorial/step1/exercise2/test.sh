#!/usr/bin/env bash
# usage: ./test.sh [solution]   The trace must be tic, tac in turn. Each changes once to its second version
# and keeps it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

lines_before=4
lines_after=6

# The two updates are independent, so the versions may meet in "tic2, tac" or in "tic, tac2".
check_trace() {
  local text sound=tic seen_tic=tic seen_tac=tac
  for text in "$@"; do
    case $sound:$text in
      tic:tic | tic:tic2) [[ $seen_tic == tic || $text == tic2 ]] || wrong "tic again after tic2" ;;
      tac:tac | tac:tac2) [[ $seen_tac == tac || $text == tac2 ]] || wrong "tac again after tac2" ;;
      *) wrong "\"$text\" where a $sound was expected" ;;
    esac
    if [[ $sound == tic ]]; then
      seen_tic=$text sound=tac
    else
      seen_tac=$text sound=tic
    fi
  done
  [[ $seen_tic == tic2 ]] || wrong "tic until the end: it was not replaced"
  [[ $seen_tac == tac2 ]] || wrong "tac until the end: it was not replaced"
}

run_exercise step1_exercise2 "$@"
