#!/usr/bin/env bash
# usage: ./test.sh [solution]   The trace must be "hello world", then "hello NAME" forever. The solution has an
# application of its own, because the exercise changes the application too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

check_trace() { check_hello_trace "$@"; }

target=step3_exercise4
[[ ${1-} != solution ]] || target+=_solved
run_exercise "$target" "$@"
