#!/usr/bin/env bash
# usage: unfinished_test.sh EXERCISE HINT   test.sh of that folder must send the update that is left to be finished, fail
# with 1, and show the hint that the update ends with.
set -euo pipefail

status=0
output=$("$1/test.sh" 2>&1 </dev/null) || status=$?
echo "$output"
((status == 1)) || { echo "FAILED: test.sh ended with $status, not with 1"; exit 1; }
[[ $output == *"$2"* ]] || { echo "FAILED: the hint is not shown: $2"; exit 1; }
