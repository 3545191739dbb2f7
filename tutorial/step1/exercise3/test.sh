#!/usr/bin/env bash
# usage: ./test.sh [solution]   The trace must be five Data in turn: first "VALUE at ADDRESS", then "VALUE from ORIGIN
# at ADDRESS" forever. Each value must keep its address.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

lines_before=10
lines_after=10

check_trace() {
  local text value=0 origin='' address=() after
  for text in "$@"; do
    [[ $text =~ ^$value(\ from\ (.+))?\ at\ (0x[0-9a-f]+)$ ]] || wrong "\"$text\" where the Data $value was expected"
    after=${BASH_REMATCH[2]}
    [[ -z $origin || $after == "$origin" ]] || wrong "\"$text\" after \"from $origin\": all Data must change in one stop, and have one origin"
    origin=$after
    [[ ${address[value]-${BASH_REMATCH[3]}} == "${BASH_REMATCH[3]}" ]] || wrong "the Data $value has moved"
    address[value]=${BASH_REMATCH[3]}
    value=$(((value + 1) % 5))
  done
  [[ -n $origin ]] || wrong "no Data has an origin: the objects were not converted"
}

run_exercise step1_exercise3 "$@"
