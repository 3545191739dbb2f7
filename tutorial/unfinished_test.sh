#!/usr/bin/env bash
# usage: unfinished_test.sh EXERCISE HINT   In that folder, test.sh must apply the unfinished update, fail with 1, and print
# the hint in which the update ends.
set -euo pipefail

status=0
output=$("$1/test.sh" 2>&1 </dev/null) || status=$?
echo "$output"
((status == 1)) || { echo "FAILED: test.sh ended with $status instead of 1"; exit 1; }
[[ $output == *"$2"* ]] || { echo "FAILED: the hint is missing: $2"; exit 1; }
