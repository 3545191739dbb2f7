#!/usr/bin/env bash
# usage: ./test.sh [solution]   The trace must be a growing Fibonacci list, from some element on "VALUE from ORIGIN"
# forever. The update may be applied while a line is being printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

check_trace() { check_list_trace anywhere "$@"; }

run_exercise step2_exercise1 "$@"
