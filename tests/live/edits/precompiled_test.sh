#!/usr/bin/env bash
# A header that was edited or patched is read, although the build's precompiled header has it as it was.
. "$(dirname "$0")/lib.sh"

mkdir "$tree" && cd "$tree"
for compiler in g++-12 clang++-14; do
  command -v $compiler >/dev/null || { echo "without $compiler"; continue; }
  rm -rf old app.* pch.*
  cat >app.hpp <<'END'
#pragma once
#include <cstdio>
#include <cstdlib>
[[gnu::noinline]] inline int tripled(int number) { return number * 3 + std::abs(number - 7); }
END
  printf '#pragma GCC system_header\n#include "%s/app.hpp"\n' "$tree" >pch.hpp # as CMake writes it
  cat >app.cpp <<'END'
void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d", tripled(std::atoi(question)));
}
END
  flags=(-std=c++20 -g -O2)
  if [[ $compiler == g++-12 ]]; then
    $compiler "${flags[@]}" -x c++-header pch.hpp -o pch.hpp.gch
    flags+=(-include "$tree/pch.hpp")
  else
    $compiler "${flags[@]}" -x c++-header pch.hpp -o pch.pch
    flags+=(-Xclang -include-pch -Xclang "$tree/pch.pch" -Xclang -include -Xclang "$tree/pch.hpp")
  fi
  build old
  start old
  [[ $(ask old 10) == 33 ]] || fail "the program is not as it was written"
  sed 's/number \* 3/number * 300/' app.hpp | diff -u --label app.hpp --label app.hpp app.hpp - >fix.patch || true
  expect 0 "1 function replaced \(tripled\(int\)\)" "$MOULT" build old/app --patch fix.patch -o fix.so
  expect 0 "applied" "$MOULT" apply "$pid" fix.so
  [[ $(ask old 10) == 3003 ]] || fail "the patch of the header is not in force"
  expect 0 "rolled back" "$MOULT" rollback "$pid"
  sed -i 's/number \* 3/number * 30/' app.hpp
  expect 0 "1 function replaced \(tripled\(int\)\)" "$MOULT" build old/app -o fix.so
  expect 0 "applied" "$MOULT" apply "$pid" fix.so
  [[ $(ask old 10) == 303 ]] || fail "the edit of the header is not in force"
done
