#!/usr/bin/env bash
# usage: ./test.sh [solution]   The trace must be "hello world", then "hello NAME" forever.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

check_trace() { check_hello_trace "$@"; }

run_exercise step1_exercise1 "$@"
