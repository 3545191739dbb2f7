#!/usr/bin/env bash
# usage: ./test.sh [solution]   The trace must be "read N", one more in each line, then "read N at TIME" forever.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

check_trace() {
  local text number=1 has_time=
  for text in "$@"; do
    if [[ $text =~ ^read\ $number\ at\ [0-9]{2}:[0-9]{2}:[0-9]{2}$ ]]; then
      has_time=yes
    elif [[ $text == "read $number" ]]; then
      [[ -z $has_time ]] || wrong "\"$text\" after lines with the time: the format must not change back"
    else
      wrong "\"$text\" where the number $number was expected"
    fi
    number=$((number + 1))
  done
  [[ -n $has_time ]] || wrong "no line has the time: the format has not changed"
}

run_exercise step4_exercise1 "$@"
