#!/usr/bin/env bash
# run.sh BUILD SOURCE COMPILER KIND: the program of this folder, built by COMPILER in the manner of KIND, is updated
# while it runs, by one update for each of three functions. Either every way to the function leads to the second version,
# or the update is refused and every way leads to the first one. Prints which.
set -euo pipefail
build=$1 source=$2 compiler=$3 kind=$4
here=$source/tests/compilers
scratch=$(mktemp -d)
program=
end() {
  exec 8>&- || true
  [[ -z $program ]] || { kill "$program" 2>/dev/null && wait "$program" 2>/dev/null; } || true
  rm -rf "$scratch"
}
trap end EXIT
fail() {
  echo "FAILED: $compiler, $kind: $*" >&2
  exit 1
}

# What moult_application adds; nothing of it in a plain build, which exports no symbols either.
ours=(-g -grecord-gcc-switches) link=(-rdynamic "-Wl,--build-id=sha1")
[[ $compiler != *g++* || $compiler == *clang* ]] || ours+=(-flive-patching=inline-clone)
flags=(-O2)
case $kind in
  O0 | O2 | O3 | Os) flags=("-$kind") ;;
  lto)
    flags=(-O2 -flto)
    ours=(-g -grecord-gcc-switches)
    ;;
  pic) flags=(-O2 -fPIC) ;;
  hidden) flags=(-O2 -fvisibility=hidden -fvisibility-inlines-hidden) ;;
  split) flags=(-O2 -gsplit-dwarf) ;;
  compressed) flags=(-O2 -gz=zlib) ;;
  dwz) flags=(-O2 -gdwarf-4) ;; # dwz does not know all of DWARF 5
  stripped) ;;
  plain) ours=(-g) link=("-Wl,--build-id=sha1") ;;
  *) fail "no such kind" ;;
esac
[[ $compiler != *clang* || $kind != lto ]] || link+=(-fuse-ld=lld)

cd "$scratch"
cp "$here"/*.cpp "$here"/*.hpp .
objects=()
{
  separator='['
  for file in main shop; do
    command=("$compiler" -std=c++20 "-I$source/include" "${ours[@]}" "${flags[@]}" -o "$file.o" -c "$file.cpp")
    "${command[@]}"
    printf '%s{"directory":"%s","file":"%s.cpp","output":"%s.o","command":"%s"}\n' "$separator" "$scratch" "$file" "$file" \
      "${command[*]}"
    separator=,
    objects+=("$file.o")
  done
  echo ']'
} >compile_commands.json
"$compiler" "${flags[@]}" "${link[@]}" -o shop "${objects[@]}" -L"$build/src" -Wl,-rpath,"$build/src" -lmoult
case $kind in
  dwz) dwz shop ;;
  stripped)
    objcopy --only-keep-debug shop shop.debug
    strip shop
    objcopy --add-gnu-debuglink=shop.debug shop
    ;;
esac

mkdir -m 700 runtime
export XDG_RUNTIME_DIR=$scratch/runtime
mkfifo questions answers
./shop <questions >answers 2>errors &
program=$!
exec 8>questions 9<answers

# ask ANSWER: to every way.
ask() {
  local answer
  echo >&8
  read -r -t 60 answer <&9 || fail "the program does not answer: $(cat errors)"
  [[ $answer == "$1" ]] || fail "the answers are $answer instead of $1; the update: $(cat outcome)"
}
# update NAME FIRST SECOND: the answers before it and after it.
update() {
  local name=$1 first=$2 second=$3 status=0
  printf '#define %s\n#include "update.cpp"\n' "${name^^}" >"$name.cpp"
  : >outcome
  ask "$first"
  timeout 100 "$build/cli/moult" apply "$program" "$name.cpp" >outcome 2>&1 || status=$?
  case $status in
    0)
      ask "$second"
      timeout 100 "$build/cli/moult" rollback "$program" season >outcome 2>&1 || fail "no rollback: $(cat outcome)"
      ask "$first"
      echo "$name: applied and rolled back"
      ;;
    3)
      ask "$first"
      echo "$name: refused: $(cat outcome)"
      ;;
    *) fail "exit code $status: $(cat outcome)" ;;
  esac
}
update price "30 30 30 10 41 10 10 10" "50 50 50 10 41 10 10 10"
update tax "30 30 30 10 41 10 10 10" "30 30 30 20 51 10 10 10"
update capacity "30 30 30 10 41 10 10 10" "30 30 30 10 41 10 20 20"
kill -0 "$program" 2>/dev/null || fail "the program has ended: $(cat errors)"
