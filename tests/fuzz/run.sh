#!/usr/bin/env bash
# run.sh FUZZER INPUTS...: fuzzes for $MOULT_FUZZ_SECONDS (20), beginning with the files in the folders INPUTS. An input
# that crashes, hangs for ten seconds, leaks, or makes it allocate far more than the input's size ends it with a failure;
# it is in the folder named then. Says how many inputs it ran.
set -euo pipefail
fuzzer=$1
shift
folder=$fuzzer.found
rm -rf "$folder"
mkdir -p "$folder/new"
status=0
"$fuzzer" -max_total_time="${MOULT_FUZZ_SECONDS:-20}" -timeout=10 -max_len=65536 -malloc_limit_mb=16 -rss_limit_mb=1024 \
  -print_final_stats=1 -artifact_prefix="$folder/" "$folder/new" "$@" >"$folder/log" 2>&1 || status=$?
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/log")
echo "$(basename "$fuzzer"): ${runs:-no} runs in ${MOULT_FUZZ_SECONDS:-20} s"
((status == 0)) && [[ -n $runs ]] && exit
tail -n 60 "$folder/log"
echo "the input is in $folder"
exit 1
