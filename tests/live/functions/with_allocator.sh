#!/usr/bin/env bash
# with_allocator.sh LIBRARY PROGRAM [ARGS...]: the program with LIBRARY's malloc. Fails where it gets another one.
set -euo pipefail
library=$1
shift
export LD_PRELOAD=$library
output=$(LD_DEBUG=libs "$@" 2>&1) || {
  grep -v '^ *[0-9]*:' <<<"$output" >&2
  exit 1
}
grep -q "calling init: .*/$library" <<<"$output" || {
  echo "FAILED: $library was not loaded; is its package installed?" >&2
  exit 1
}
grep -v '^ *[0-9]*:' <<<"$output"
