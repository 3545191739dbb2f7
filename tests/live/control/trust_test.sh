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
  chown 0 "$base/update.cpp"
else
  echo "not tested: files of other users (needs root)"
fi
# A folder in which others can replace the file.
chmod 777 "$base/build"
refused "compile_commands.json: its folder $base/build/ may be written by everybody; chmod o-w"
chmod 755 "$base/build"
mkdir -m 777 "$base/open"
cp "$BINARIES/live_control_answer.so" "$base/open/update.so"
chmod 755 "$base/open/update.so"
expect 3 "update.so: its folder $base/open/ may be written by everybody; chmod o-w" \
  "$MOULT" apply "$name" "$base/open/update.so"
[[ $(answer) == 1 ]] || fail "something was applied"

# A socket in the name of a process that has no listener: another's, and a link to another's.
sleep 1000 &
other=$!
started+=("$other")
sockets=$XDG_RUNTIME_DIR/moult
ln -s "$pid.sock" "$sockets/$other.sock"
expect 5 "sleep \(pid $other\) has no listener" "$MOULT" apply "$other" "$BINARIES/live_control_answer.so"
mv "$sockets/$pid.sock" "$sockets/$other.sock"
stranger="sleep \(pid $other\): $sockets/$other.sock is served by process $pid; it is not told anything"
expect 5 "$stranger" "$MOULT" status "$other"
expect 5 "$stranger" "$MOULT" apply "$other" "$BINARIES/live_control_answer.so"
expect 0 "$other +sleep +foreign" "$MOULT" ps
[[ $(answer) == 1 ]] || fail "an update meant for another program was applied"
mv "$sockets/$other.sock" "$sockets/$pid.sock"

# A program's name, and an update's message, do not control the terminal or the log.
escape=$'\033'
cp "$TARGET" "$base/red$escape[31m"
start_target "$base/red$escape[31m"
expect 0 "" "$MOULT" set "$pid" logpath "$base/log"
printf 'text' >"$base/bad$escape[2J.so"
for command in ps "status $pid" "threads $pid" "set $pid loglevel 2" "apply $pid $base/bad$escape[2J.so" "log $pid" \
  "functions $pid --most 3"; do
  # shellcheck disable=SC2086
  "$MOULT" $command >"$base/shown" 2>&1 || true
  ! grep -q "$escape" "$base/shown" || fail "moult $command: $(cat -v "$base/shown")"
done
expect 0 'red.u001b\[31m' "$MOULT" ps
grep -q 'bad.u001b\[2J' "$base/log" || fail "the log says nothing of it: $(cat -v "$base/log")"
! grep -q "$escape" "$base/log" || fail "the log: $(cat -v "$base/log")"
