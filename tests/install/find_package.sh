#!/usr/bin/env bash
# Installs the build to a temporary prefix, then builds and runs a program and its update outside this tree.
#   find_package.sh BUILD_DIR CMAKE CXX_COMPILER CXX_FLAGS
set -euo pipefail
build=$1 cmake=$2 compiler=$3 flags=$4
outside=$(cd "$(dirname "${BASH_SOURCE[0]}")/outside" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

"$cmake" --install "$build" --prefix "$scratch/prefix" >/dev/null
cp -r "$outside" "$scratch/source"
"$cmake" -G Ninja -S "$scratch/source" -B "$scratch/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" >/dev/null
"$cmake" --build "$scratch/build"

expected="hello from outside
hello from the update for outside, built for outside: build_id_mismatch"
actual=$("$scratch/build/program" "$scratch/build/update.so")
[[ $actual == "$expected" ]] || fail "the program said: $actual"

# The note, byte for byte: name size 6, 20 bytes, type 2, "moult", the program's build id.
id=$(readelf --notes "$scratch/build/program" | sed -n 's/.*Build ID: //p')
[[ ${#id} == 40 ]] || fail "the program's build id is '$id', not 20 bytes"
note=$(readelf --hex-dump=.note.moult.target "$scratch/build/update.so" |
  awk '$1 ~ /^0x/ { for (i = 2; i <= NF && $i ~ /^[0-9a-f]+$/ && i <= 5; i++) printf "%s", $i }')
[[ $note == 060000001400000002000000"6d6f756c740000""00$id" ]] || fail "the update's note is $note, the program's id $id"
readelf --wide --sections "$scratch/build/update.so" | grep -q '\.note\.moult\.target *NOTE .* A ' ||
  fail ".note.moult.target is not a loaded note section"

# The file's size, which goes before its checksum, is written after the link.
written=$(readelf --hex-dump=.note.moult.checksum "$scratch/build/update.so" |
  awk '$1 ~ /^0x/ { for (i = 2; i <= NF && $i ~ /^[0-9a-f]+$/ && i <= 5; i++) printf "%s", $i }')
size=$(stat -c %s "$scratch/build/update.so")
printf -v size '%02x%02x%02x%02x' $((size & 255)) $((size >> 8 & 255)) $((size >> 16 & 255)) $((size >> 24 & 255))
[[ ${written:40:16} == "${size}00000000" ]] || fail "the update's checksum is not written: $written, size $size"

# Only g++ has optimisations that must be off, and it says in the debug information that they are.
if "$compiler" --version | grep -q 'Free Software'; then
  grep -q -- '-flive-patching=inline-clone .*program.cpp' "$scratch/build/compile_commands.json" ||
    fail "the program was compiled without -flive-patching"
fi

# A program that changed makes its update be linked again; one that did not leaves it alone.
"$cmake" --build "$scratch/build" | grep -q 'no work to do' || fail "a second build did something"
sed -i 's/"hello"/"good morning"/' "$scratch/source/greetings.cpp"
"$cmake" --build "$scratch/build" >/dev/null
actual=$("$scratch/build/program" "$scratch/build/update.so")
[[ $actual == "good morning from outside"* ]] || fail "after the change the program said: $actual"
new_id=$(readelf --notes "$scratch/build/program" | sed -n 's/.*Build ID: //p')
[[ $new_id != "$id" ]] || fail "the changed program has the same build id"
readelf --hex-dump=.note.moult.target "$scratch/build/update.so" | tr -d ' \n' | grep -q "${new_id:0:8}" ||
  fail "the update was not linked again for the changed program"
