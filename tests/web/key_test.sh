# The exercise's test.sh sends the update when a key is pressed, and not before.
. "$(dirname "$0")/lib.sh"
mkfifo "$base/keys" "$base/shown"
MOULT_TUTORIAL_PORT=0 MOULT_BUILD=$BUILD "$EXERCISE/test.sh" solution <"$base/keys" >"$base/shown" 2>&1 &
started+=("$!")
exec 7>"$base/keys" 9<"$base/shown"

# shown PATTERN: reads on until a line is of it.
shown() {
  local line=
  until [[ $line =~ $1 ]]; do read -r -t 120 -u 9 line || fail "it does not say \"$1\""; done
  found=$line
}

shown "localhost:[0-9]+"
port=${found##*:}
shown "press a key for the update"
old_version
! read -r -t 1 -u 9 line || fail "no key was pressed, and it says $line"
printf x >&7
shown "moult apply .*solution.cpp"
