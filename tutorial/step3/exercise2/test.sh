#!/usr/bin/env bash
# usage: ./test.sh [solution]   The trace must be a growing Fibonacci list, from some line on "VALUE from ORIGIN"
# forever.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

check_trace() { check_list_trace between_lines "$@"; }

run_exercise step3_exercise2 "$@"
