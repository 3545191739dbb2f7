#!/usr/bin/env bash
# The README's example, word for word, with an installed moult: built, run, and updated by the installed command.
#   readme_example.sh BUILD_DIR README CMAKE CXX_COMPILER CXX_FLAGS
set -euo pipefail
build=$1 readme=$2 cmake=$3 compiler=$4 flags=$5
scratch=$(mktemp -d)
program=
end() {
  [[ -z $program ]] || kill "$program" 2>/dev/null || true
  rm -rf "$scratch"
}
trap end EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# block LANGUAGE NUMBER: the README's NUMBERth block of code in LANGUAGE.
block() {
  awk -v fence="\`\`\`$1" -v wanted="$2" '
    /^```/ && inside { inside = 0; next }
    $0 == fence { inside = ++count == wanted; next }
    inside' "$readme"
}

mkdir -m 700 "$scratch/source" "$scratch/runtime"
block cpp 1 >"$scratch/source/app.cpp"
block cpp 2 >"$scratch/source/update.cpp"
{
  echo 'cmake_minimum_required(VERSION 3.25)'
  echo 'project(app LANGUAGES CXX)'
  echo 'set(CMAKE_EXPORT_COMPILE_COMMANDS ON)'
  block cmake 1
} >"$scratch/source/CMakeLists.txt"
"$cmake" --install "$build" --prefix "$scratch/prefix" >/dev/null
"$cmake" -G Ninja -S "$scratch/source" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" >/dev/null
"$cmake" --build "$scratch/build" >/dev/null

# Where the place of the sockets' folder is taken, the program runs without updates.
mkdir -m 700 "$scratch/squatted"
touch "$scratch/squatted/moult"
mkfifo "$scratch/hello"
XDG_RUNTIME_DIR=$scratch/squatted "$scratch/build/app" >"$scratch/hello" 2>"$scratch/errors" &
program=$!
read -r said <"$scratch/hello"
[[ $said == "hello world" ]] || fail "without a listener the program said: $said"
[[ $(cat "$scratch/errors") == "no updates: $scratch/squatted/moult: is no folder, so it is not used for sockets;"* ]] ||
  fail "without a listener the program gave as the reason: $(cat "$scratch/errors")"
kill "$program"
wait "$program" || true

export XDG_RUNTIME_DIR=$scratch/runtime
"$scratch/build/app" >"$scratch/output" &
program=$!
moult=$scratch/prefix/bin/moult
for _ in {1..100}; do
  if "$moult" status "$program" >/dev/null 2>&1; then break; fi
  sleep 0.1
done
said=$("$moult" check "$program" "$scratch/source/update.cpp") || fail "check ended with $?: $said"
said=$("$moult" apply "$program" "$scratch/source/update.cpp") || fail "apply ended with $?: $said"
[[ $said =~ ^"hello: applied in ".*"hello() redefined as hello_v2(); paused ".*" threads"$ ]] || fail "apply said: $said"
for _ in {1..50}; do
  if [[ $(tail -1 "$scratch/output") == "hello Ada" ]]; then break; fi
  sleep 0.1
done
[[ $(uniq "$scratch/output") == "hello world
hello Ada" ]] || fail "the program said: $(cat "$scratch/output")"

# The same file again, changed.
sed -i 's/hello Ada/hello Grace/' "$scratch/source/update.cpp"
said=$("$moult" apply "$program" "$scratch/source/update.cpp") || fail "the second apply ended with $?: $said"
for _ in {1..50}; do
  if [[ $(tail -1 "$scratch/output") == "hello Grace" ]]; then break; fi
  sleep 0.1
done
[[ $(tail -1 "$scratch/output") == "hello Grace" ]] || fail "the program said: $(cat "$scratch/output")"

completion=$scratch/prefix/share/bash-completion/completions/moult
bash -c "source '$completion' && complete -p moult" >/dev/null || fail "no completion is installed"
