# What the command compiles with, and what it compiles, must not be somebody else's work.
. "$(dirname "$0")/lib.sh"
start_target
name=$(basename "$TARGET")

mkdir "$base/build"
cat >"$base/build/compile_commands.json" <<END
[{"directory":"$base","file":"$SOURCES/target.cpp","command":"$base/compiler -c target.cpp"}]
END
cat >"$base/compiler" <<END
#!/bin/sh
touch "$base/was-run"
exit 1
END
chmod 755 "$base/compiler"

# refused PATTERN: nothing of it is run.
refused() {
  expect 3 "$1" "$MOULT" apply "$name" "$base/update.cpp" -p "$base/build"
  expect 3 "$1" "$MOULT" build "$name" "$base/update.cpp" -p "$base/build" -o "$base/update.so"
  [[ ! -e $base/was-run ]] || fail "the compiler was run"
}

cp "$SOURCES/answer_update.cpp" "$base/update.cpp"
chmod 644 "$base/update.cpp" "$base/build/compile_commands.json"
expect 2 "does not compile" "$MOULT" apply "$name" "$base/update.cpp" -p "$base/build"
rm "$base/was-run" || fail "the compiler is not the one that is named"

chmod 666 "$base/update.cpp"
refused "update.cpp: may be written by everybody; chmod o-w"
chmod 644 "$base/update.cpp"
chmod 666 "$base/build/compile_commands.json"
refused "compile_commands.json: may be written by everybody; chmod o-w"
chmod 644 "$base/build/compile_commands.json"

if ((EUID == 0)); then
  chown 65534 "$base/build/compile_commands.json"
  refused "compile_commands.json: belongs to user 65534, and this process runs as 0"
  chown 0 "$base/build/compile_commands.json"
  chown 65534 "$base/update.cpp"
  refused "update.cpp: belongs to user 65534, and this process runs as 0"
else
  echo "not tested: files of other users (needs root)"
fi
[[ $(answer) == 1 ]] || fail "something was applied"
