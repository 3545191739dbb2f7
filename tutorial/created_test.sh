#!/usr/bin/env bash
# usage: created_test.sh EXERCISE HINT   The reader creates that folder's update.cpp. Without the file, test.sh must fail with
# 1 and print the hint. With a good one it must succeed. Works on a copy of the folder, since the reader's may have the file.
set -euo pipefail

copy=$(mktemp -d "${TMPDIR:-/tmp}/moult-created-test.XXXXXX")
trap 'rm -rf "$copy"' EXIT
exercise=$copy/${1#"${1%/*/*}"/}
mkdir -p "$exercise"
cp "${1%/*/*}/lib.sh" "$copy"
cp -p "$1"/* "$exercise" # with their times: moult refuses headers newer than the program
rm -f "$exercise/update.cpp"

status=0
output=$("$exercise/test.sh" 2>&1 </dev/null) || status=$?
echo "$output"
((status == 1)) || { echo "FAILED: without update.cpp, test.sh ended with $status instead of 1"; exit 1; }
[[ $output == *"$2"* ]] || { echo "FAILED: the hint is missing: $2"; exit 1; }

cp "$exercise/solution.cpp" "$exercise/update.cpp"
"$exercise/test.sh" </dev/null || { echo "FAILED: with a good update.cpp, test.sh ended with $?"; exit 1; }
