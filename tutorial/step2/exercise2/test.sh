#!/usr/bin/env bash
# usage: ./test.sh [solution]   Each line of the trace must be two series of five, "FIRST | LATEST". At first they are odd
# integers in ascending order. From some place on each is twice an odd integer, and in the end they are in another order. No
# integer may be doubled twice. The first series must keep its integers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

lines_after=10

# look_at NUMBER...: sets `originals` to the undoubled numbers in order, `doubled` to the count of doubled ones, and
# `shuffled` if the numbers are out of order.
look_at() {
  local number last=0 i
  doubled=0 shuffled='' originals=()
  for number in "$@"; do
    ((number % 4 != 0)) || wrong "$number was doubled more than once"
    ((number >= last)) || shuffled=yes
    last=$number
    ((number % 2 == 1)) || doubled=$((doubled + 1)) number=$((number / 2))
    for ((i = ${#originals[@]}; i > 0 && originals[i - 1] > number; --i)); do originals[i]=${originals[i - 1]}; done
    originals[i]=$number
  done
}

check_trace() {
  local text number first='' state=0 mixed=0 all=0 seen='' five='([0-9]+ ){5}' doubled shuffled originals
  for text in "$@"; do
    [[ "$text " =~ ^$five\|\ $five ]] || wrong "\"$text\" where two series of five were expected"
    read -r -a number <<<"${text/|/}"
    look_at "${number[@]:0:5}"
    [[ -z $first || $first == "${originals[*]}" ]] || wrong "\"$text\": the first series has other integers than before"
    first=${originals[*]} all=$doubled
    [[ -z $shuffled || $doubled -gt 0 && $doubled -lt 5 ]] || seen=yes
    look_at "${number[@]:5:5}"
    all=$((all + doubled))
    ((all == 10 || state < 2)) || wrong "\"$text\": not all are doubled, but all were before"
    ((all == 0 || all == 10)) || mixed=$((mixed + 1))
    ((mixed < 2)) || wrong "\"$text\": not all are doubled, but some were before"
    ((all < 10)) || state=2
  done
  ((state == 2)) || wrong "no integer was doubled: the objects were not converted"
  [[ -n $seen ]] || wrong "each series is in ascending order: Serie::text was not replaced"
}

run_exercise step2_exercise2 "$@"
