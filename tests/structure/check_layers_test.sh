#!/usr/bin/env bash
# check_layers must pass a good tree and name the line of each kind of bad one.
#   check_layers_test.sh CHECK_LAYERS
set -euo pipefail
check=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# Starts a tree that keeps to every rule.
good_tree() {
  rm -rf "$scratch/tree"
  mkdir -p "$scratch"/tree/{include/moult,src/{base,protocol,platform,symbols,threads,lifecycle},diff,cli}
  add include/moult/error.hpp '#include <string>' '#include "moult/detail/a.hpp"'
  add src/base/a.cpp '#include "base/a.hpp"' '#include "moult/error.hpp"' '// ::mmap( and #if in a comment'
  add src/protocol/a.cpp '#include <sys/socket.h>' '#include "base/a.hpp"'
  add src/platform/a.cpp '#include <sys/mman.h>' '#ifdef __x86_64__' 'void* p = ::mmap(nullptr);' '#endif'
  add src/threads/a.cpp '#include "symbols/a.hpp"' '#include "platform/a.hpp"' 'moved::mmap(1);'
  add src/lifecycle/a.cpp '#include "base/a.hpp"'
  add diff/a.cpp '#include "diff/a.hpp"' '#include "symbols/a.hpp"' '#include "code/decoder.hpp"'
  add cli/a.cpp '#include "symbols/a.hpp"' '#include "diff/a.hpp"' '#include "options.hpp"' '#include <signal.h>'
}

add() {
  local file=$scratch/tree/$1
  shift
  mkdir -p "$(dirname "$file")"
  printf '%s\n' "$@" >>"$file"
}

# refused PLACE FILE LINE...: with these lines added to FILE the check fails and names PLACE.
refused() {
  local place=$1 output
  shift
  good_tree
  add "$@"
  if output=$("$check" "$scratch/tree"); then
    echo "FAILED: accepted $*" >&2
    failures=$((failures + 1))
  elif [[ $output != "$place: "* ]]; then
    echo "FAILED: $* was refused as: $output" >&2
    failures=$((failures + 1))
  fi
}

good_tree
"$check" "$scratch/tree"

refused src/base/b.cpp:1 src/base/b.cpp '#include "threads/stopper.hpp"'
refused src/symbols/b.cpp:2 src/symbols/b.cpp '' '  #  include "threads/stopper.hpp"'
refused include/moult/b.hpp:1 include/moult/b.hpp '#include "base/a.hpp"'
refused include/moult/b.hpp:1 include/moult/b.hpp '#include <nlohmann/json.hpp>'
refused include/moult/b.hpp:1 include/moult/b.hpp '#include <unistd.h>'
refused src/lifecycle/b.cpp:1 src/lifecycle/b.cpp '#include "threads/stopped_world.hpp"'
refused src/base/b.cpp:1 src/base/b.cpp '#include "a.hpp"'
refused cli/b.cpp:1 cli/b.cpp '#include "threads/stopped_world.hpp"'
refused cli/b.cpp:1 cli/b.cpp '#include "platform/socket.hpp"'
refused cli/b.cpp:1 cli/b.cpp '#include "code/decoder.hpp"'
refused diff/b.cpp:1 diff/b.cpp '#include "code/patch.hpp"'
refused src/symbols/b.cpp:1 src/symbols/b.cpp '#include "diff/a.hpp"'
refused src/threads/b.cpp:1 src/threads/b.cpp '#ifdef __x86_64__'
refused src/threads/b.cpp:1 src/threads/b.cpp '#if defined(__clang__)'
refused src/threads/b.cpp:1 src/threads/b.cpp '#include <sys/mman.h>'
refused src/threads/b.cpp:1 src/threads/b.cpp '  int r = ::syscall(1);'
refused src/threads/b.cpp:1 src/threads/b.cpp '  ::sigaction(1, nullptr, nullptr);'
refused src/helpers/b.cpp:1 src/helpers/b.cpp 'int a;'

# circle PLACE...: these lines, each a file and what it includes, make a circle, and each PLACE is named.
circle() {
  local output place files=()
  good_tree
  while (($#)) && [[ $1 != -- ]]; do
    add "$1" "#include \"$2\""
    files+=("$1:1: includes ")
    shift 2
  done
  output=$("$check" "$scratch/tree") && { echo "FAILED: accepted the circle ${files[*]}" >&2; failures=$((failures + 1)); }
  for place in "${files[@]}"; do
    [[ $output == *"$place"* ]] || { echo "FAILED: $place is missing in: $output" >&2; failures=$((failures + 1)); }
  done
}
circle src/threads/b.hpp threads/c.hpp src/threads/c.hpp threads/b.hpp
circle src/threads/b.cpp threads/c.hpp src/threads/c.cpp threads/b.hpp
circle src/threads/b.hpp threads/c.hpp src/threads/c.hpp threads/d.hpp src/threads/d.cpp threads/b.hpp
circle cli/b.cpp c.hpp cli/c.hpp b.hpp

mkdir "$scratch/empty"
if "$check" "$scratch/empty" 2>/dev/null; then
  echo "FAILED: accepted a tree without sources" >&2
  failures=$((failures + 1))
fi
exit "$((failures != 0))"
