#!/usr/bin/env bash
# usage: ./test.sh [solution]   Each line of the trace must be two series of five, "FIRST | NEWEST": odd integers in
# ascending order, from some place on twice an odd number, never twice that, and in the end in another order. The first
# serie's integers must stay the same ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

lines_after=10

# look_at NUMBER...: puts the originals, sorted, into `originals`; counts the doubled in `doubled`; sets `shuffled`.
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
    [[ "$text " =~ ^$five\|\ $five ]] || wrong "\"$text\" where two series of five were due"
    read -r -a number <<<"${text/|/}"
    look_at "${number[@]:0:5}"
    [[ -z $first || $first == "${originals[*]}" ]] || wrong "\"$text\": the first serie has other integers than before"
    first=${originals[*]} all=$doubled
    [[ -z $shuffled || $doubled -gt 0 && $doubled -lt 5 ]] || seen=yes
    look_at "${number[@]:5:5}"
    all=$((all + doubled))
    ((all == 10 || state < 2)) || wrong "\"$text\": not all are doubled, but were before"
    ((all == 0 || all == 10)) || mixed=$((mixed + 1))
    ((mixed < 2)) || wrong "\"$text\": not all are doubled, but some were before"
    ((all < 10)) || state=2
  done
  ((state == 2)) || wrong "no integer was doubled: the objects were not converted"
  [[ -n $seen ]] || wrong "each serie is in ascending order: Serie::text was not replaced"
}

run_exercise step2_exercise2 "$@"
