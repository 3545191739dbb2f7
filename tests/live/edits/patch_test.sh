#!/usr/bin/env bash
# A patch becomes an update, and the tree stays as it is: headers beside the source, in other folders and by absolute
# names, sources that the build generates, and files that the patch brings.
. "$(dirname "$0")/lib.sh"

# build_tree: the program, in $tree/build: app.cpp by its absolute name, other.cpp by a relative one, and a generated
# source that includes part.cpp by its absolute name.
build_tree() {
  local line name source separator='['
  rm -rf "$tree/build" && mkdir -p "$tree/build/gen"
  echo "#include \"$tree/src/part.cpp\"" >"$tree/build/gen/unity.cpp"
  touch -d '1 hour ago' "$tree/build/gen/unity.cpp"
  cd "$tree/build"
  for line in "app $tree/src/app.cpp -I$tree/inc" "other ../src/other.cpp" "unity gen/unity.cpp"; do
    read -r name source <<<"$line"
    # shellcheck disable=SC2086 # the source may have flags behind it
    "$compiler" "${flags[@]}" -c $source -o "$name.o"
    printf '%s{"directory":"%s","file":"%s","command":"%s %s -c %s -o %s.o"}\n' "$separator" "$tree/build" \
      "${source%% *}" "$compiler" "${flags[*]}" "$source" "$name" >>compile_commands.json
    separator=,
  done
  echo ']' >>compile_commands.json
  "$compiler" "$HOST" ./*.o -o app "$LIBRARY" -Wl,-rpath,"$(dirname "$LIBRARY")" -Wl,--build-id=sha1
  cd "$base"
}

# State of the whole tree: content, times and inodes.
tree_state() { (cd "$tree" && find . -type f -printf '%p %T@ %i ' -exec sha256sum {} \;) | sort; }

restore() {
  rm -rf "$tree/src" "$tree/inc" "$tree/README"
  cp -r "$base"/saved/* "$tree" && find "$tree/src" "$tree/inc" -type f -exec touch -d '1 hour ago' {} +
}

# patch_of SED FILE: a patch as git makes it, by editing a copy.
patch_of() {
  rm -rf a b && cp -r saved a && cp -r saved b
  sed -i "$1" "b/$2"
  diff -Naur a b || true
}

cd "$base"
mkdir -p saved/src saved/inc
cat >saved/src/app.hpp <<'END'
#pragma once
#include <cassert>
inline int checked(int number) {
  assert(number > -1000000);
  return number * 2;
}
END
cat >saved/src/app.cpp <<'END'
#include "app.hpp"
#include "shared.hpp"
#include <cstdio>
#include <cstdlib>

int other(int number);
int part(int number);

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d %d %d %d %s", checked(number), shared(number), other(number), part(number), __FILE__);
}
END
cat >saved/src/other.cpp <<'END'
#include "../inc/shared.hpp"
int other(int number) { return shared(number) + 5; }
END
echo 'int part(int number) { return number * 100 / 7 - 7; }' >saved/src/part.cpp
cat >saved/inc/shared.hpp <<'END'
#pragma once
#include "inner.hpp"
inline int shared(int number) { return inner(number) * 10; }
END
echo 'inline int inner(int number) { return number + 1; }' >saved/inc/inner.hpp
echo 'A program.' >saved/README
mkdir "$tree"

for compiler in g++-12 clang++-14; do
  command -v $compiler >/dev/null || { echo "without $compiler"; continue; }
  flags=(-std=c++20 -g -O2)
  restore
  build_tree
  start tree/build build
  [[ $(ask build 3) == "6 40 45 35 $tree/src/app.cpp" ]] || fail "the program is not as it was written"

  # A patch of sources and a header, with a new header and a file that is none.
  rm -rf a b && cp -r saved a && cp -r saved b
  sed -i 's/+ 1/+ 2/' b/inc/inner.hpp
  sed -i 's/- 7;/- 70;/' b/src/part.cpp
  sed -i 's/number \* 2/plus_one(number * 2)/; s/.*cassert.*/&\n#include "new\/plus.hpp"/' b/src/app.hpp
  mkdir b/src/new && echo 'inline int plus_one(int number) { return number + 1; }' >b/src/new/plus.hpp
  echo 'More.' >>b/README
  diff -Naur a b >fix.patch || true
  sum=$(sha256sum <fix.patch) && sum=${sum%% *}
  before=$(tree_state)
  expect 0 "changed  answer.*3 files compared with app: 3 functions changed" "$MOULT" diff "$tree/build/app" --patch fix.patch
  expect 0 "$tree/README: is read by no source of app that is compiled here; nothing of it is in the update.*fix.so: built from fix.patch \(app.cpp, other.cpp, unity.cpp\), for every process of app: 3 functions replaced" \
    "$MOULT" build "$tree/build/app" --patch fix.patch -o fix.so
  expect 0 '"patch":\{"name":"fix.patch","sha256":"'"$sum" "$MOULT" build "$tree/build/app" --patch fix.patch -o fix.so --json
  [[ $(tree_state) == "$before" ]] || fail "the tree has changed"
  expect 0 "edit of app.cpp, other.cpp, unity.cpp: applied" "$MOULT" apply "$pid" fix.so
  [[ $(ask build 3) == "7 50 55 -28 $tree/src/app.cpp" ]] || fail "the patch is not in force: $(ask build 3)"

  # The update carries the patch, and names the tree's own files.
  expect 0 $'\n *patch fix.patch sha256 '"$sum"$'\n' "$MOULT" status "$pid"
  expect 0 '"patch":\{"name":"fix.patch","sha256":"'"$sum"'"\}' "$MOULT" status "$pid" --json
  objcopy --dump-section .moult.patch=carried fix.so && cmp -s carried fix.patch || fail "the update has not the patch"
  if strings -a fix.so | grep moult-update; then fail "the update names a private copy"; fi
  readelf --debug-dump=info fix.so | grep "DW_AT_name.*: $tree/src/app.cpp" >names || fail "debuggers find no source"
  expect 0 "rolled back" "$MOULT" rollback "$pid"
  [[ $(ask build 3) == "6 40 45 35 $tree/src/app.cpp" ]] || fail "the patch is still in force"
  strip --strip-debug fix.so && expect 3 "is damaged: it has" "$MOULT" apply "$pid" fix.so
  "$MOULT" checksum fix.so && expect 0 "applied" "$MOULT" apply "$pid" fix.so
  [[ $(ask build 3) == "7 50 55 -28 $tree/src/app.cpp" ]] || fail "the stripped update is not in force"

  # A comment behind all code changes nothing: assertions and __FILE__ name the tree's files.
  patch_of '$s/$/ \/\/ A comment./' inc/inner.hpp >comment.patch
  expect 0 "^2 files compared with app: all [0-9]+ functions are the same$" \
    "$MOULT" diff "$tree/build/app" --patch comment.patch

  # A header that is renamed, and one that is gone.
  rm -rf a b && cp -r saved a && cp -r saved b
  mv b/inc/inner.hpp b/inc/renamed.hpp && sed -i 's/inner.hpp/renamed.hpp/; s/\* 10/* 11/' b/inc/shared.hpp
  diff -Naur a b >rename.patch || true
  expect 0 "2 files compared with app: 2 functions changed" "$MOULT" diff "$tree/build/app" --patch rename.patch
  [[ -e $tree/inc/inner.hpp && ! -e $tree/inc/renamed.hpp ]] || fail "the tree has changed"
  rm -rf a b && cp -r saved a && cp -r saved b && rm b/inc/inner.hpp
  diff -Naur a b >gone.patch || true
  expect 2 "inner.hpp: No such file|'inner.hpp' file not found" "$MOULT" diff "$tree/build/app" --patch gone.patch

  # Without a leading folder in the names, from anywhere, and in a pipe.
  (cd saved && sed 's/+ 5/+ 6/' src/other.cpp >"$base/changed.cpp" && diff -u src/other.cpp "$base/changed.cpp") |
    sed 's/^+++ .*/+++ src\/other.cpp/' >plain.patch || true
  expect 0 "other\(int\)  in other.cpp" "$MOULT" diff "$tree/build/app" --patch plain.patch
  expect 0 "other\(int\)  in other.cpp" "$MOULT" diff "$tree/build/app" --patch <(cat plain.patch)
done

# clang names the place of a lambda as it reads it: the update would have that of moult's private copy.
if command -v clang++-14 >/dev/null; then
  compiler=clang++-14
  restore
  sed -i 's/^void answer/template <class T>\nconst char* name_of(T) { return __PRETTY_FUNCTION__; }\nconst char* name() { return name_of([] {}); }\n&/' \
    "$tree/src/app.cpp"
  touch -d '1 hour ago' "$tree/src/app.cpp"
  build_tree
  patch_of 's/+ 1/+ 2/' inc/inner.hpp >inner.patch
  expect 3 "app.cpp: the compiler puts the place of moult's private copy into its code" \
    "$MOULT" diff "$tree/build/app" --patch inner.patch
fi

compiler=g++-12
command -v $compiler >/dev/null || exit 0
restore
build_tree
start tree/build build
# An edit that is no patch has none.
sed -i 's/- 7;/- 8;/' "$tree/src/part.cpp"
touch "$tree/build/gen/unity.cpp"
expect 0 "applied" "$MOULT" live "$pid" --once --build-dir "$tree/build" --json
[[ $("$MOULT" status "$pid" --json) != *'"patch"'* ]] || fail "an edit is said to be a patch"

# Edits in the tree: of what the patch concerns they are refused, of other sources they are no part of the update.
patch_of 's/+ 5/+ 6/' src/other.cpp >other.patch
expect 0 "fix.so: built from other.patch \(other.cpp\)" "$MOULT" build "$tree/build/app" --patch other.patch -o fix.so
sed -i 's/\* 10/* 11/' "$tree/inc/shared.hpp"
rm fix.so
expect 3 "other.cpp: other\(int\) differs from the program's without the patch, too; take that edit out" \
  "$MOULT" build "$tree/build/app" --patch other.patch -o fix.so
restore
touch "$tree/src/other.cpp" # a new time is no edit
expect 0 "other\(int\)  in other.cpp" "$MOULT" diff "$tree/build/app" --patch other.patch

# What cannot be patched is told, and nothing is written.
restore
before=$(tree_state)
refused() {
  expect "$1" "$2" "$MOULT" build "$tree/build/app" --patch bad.patch -o fix.so
  [[ ! -e fix.so ]] || fail "an update was written for a patch that is refused: $2"
  [[ $(tree_state) == "$before" ]] || fail "the tree has changed"
}
sed 's/+ 5/+ 4/' other.patch >bad.patch
refused 2 "bad.patch: does not apply to the sources in $tree: patching file src/other.cpp; Hunk #1 FAILED at 1.*; make it for these sources"
sed 's/^ #include.*/ #include "elsewhere.hpp"/' other.patch >bad.patch # the line is found, and what is beside it differs
refused 2 "bad.patch: does not apply .*Hunk #1 FAILED"
{ cat other.patch && patch_of 's/- 7;/- 9;/' src/part.cpp | sed 's/7 - 7;/7 - 77;/'; } >bad.patch
refused 2 "bad.patch: does not apply .*Hunk #1 FAILED"
patch_of 's/A program/The program/' README >bad.patch
refused 2 "bad.patch: names no source of $tree/build/app, but a/README, b/README; give a patch of files"
echo 'no patch' >bad.patch
refused 2 "bad.patch: is no unified diff"
printf -- '--- a/src/other.cpp\n+++ b/src/other.cpp\n1c\nint nothing;\n.\n!touch %s/ran\n' "$base" >bad.patch
refused 2 "bad.patch: does not apply"
[[ ! -e ran ]] || fail "a script in a patch was run"
patch_of 's/+ 5/+ nothing/' src/other.cpp >bad.patch
refused 2 "\.\./src/other.cpp:2:[0-9]+: error: .*$tree/src/other.cpp: does not compile"
expect 2 "PATCH|patch|File does not exist" "$MOULT" build "$tree/build/app" --patch there-is-none -o fix.so
mkdir tools && for tool in $compiler as sha256sum sh; do ln -s "$(command -v $tool)" tools; done
expect 2 "patch: cannot be run; install it" \
  env PATH="$base/tools" "$MOULT" build "$tree/build/app" --patch other.patch -o fix.so
expect 2 "excludes" "$MOULT" build "$tree/build/app" saved/src/part.cpp --patch other.patch -o fix.so
sed -i 's/+ 5/+ 6/' "$tree/src/other.cpp"
before=$(tree_state)
cp other.patch bad.patch
refused 2 "it is in them already: leave out --patch"

# Names that fit in two folders are those of the current one.
restore
mkdir "$tree/src/deeper" && sed 's/int part/int deeper_part/' saved/src/part.cpp >"$tree/src/deeper/part.cpp"
touch -d '1 hour ago' "$tree/src/deeper/part.cpp"
echo '#include "../src/deeper/part.cpp"' >>"$tree/src/other.cpp"
touch -d '1 hour ago' "$tree/src/other.cpp"
build_tree
before=$(tree_state)
printf -- '--- part.cpp\n+++ part.cpp\n@@ -1 +1,2 @@\n+// A comment.\n%s\n' " $(<saved/src/part.cpp)" >bad.patch
sed "s/part(/deeper_part(/" bad.patch >deeper.patch
expect 0 "1 file compared with app" "$MOULT" diff "$tree/build/app" --patch deeper.patch
(cd "$tree" && sed -i 's/deeper_part/part/' src/deeper/part.cpp)
before=$(tree_state)
refused 2 "bad.patch: applies in $tree/src/deeper and in $tree/src; run the command in the one that is meant"
(cd "$tree/src" && expect 0 "^1 file compared" "$MOULT" diff "$tree/build/app" --patch "$base/bad.patch")

# A file that leads to the tree itself is not compiled with one half of the patch.
restore
echo "#define TREE $tree
#define NAME_OF(text) #text
#define NAME(text) NAME_OF(text)
#include NAME(TREE/src/part.cpp)" >"$tree/build/gen/unity.cpp"
touch -d '1 hour ago' "$tree/build/gen/unity.cpp"
before=$(tree_state)
patch_of 's/- 7;/- 9;/' src/part.cpp >bad.patch
refused 3 "unity.cpp: reads $tree/src/part.cpp of the tree itself"
[[ -z $(ls "$XDG_CACHE_HOME/moult") ]] || fail "something was left in the cache"
