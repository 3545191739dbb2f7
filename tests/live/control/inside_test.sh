# Methods that are written inside of the new class and called by nobody in the update are found all the same.
. "$(dirname "$0")/lib.sh"
start_target "$BINARIES/live_control_inside"

[[ $(answer) == 32 ]] || fail "the program is not as it was written"
expect 0 "greeter: applied" "$MOULT" apply "$pid" "$SOURCES/inside_update.cpp"
[[ $(answer) == 1102 ]] || fail "the methods of the new class are not called"
expect 0 "greeter: rolled back" "$MOULT" rollback "$pid" greeter
[[ $(answer) == 32 ]] || fail "the update is rolled back, and the program does not answer as before"

# Where a constructor alone is missing, and in an unnamed namespace.
expect 0 "greeter: applied" "$MOULT" apply "$pid" "$SOURCES/inside_unnamed_update.cpp"
[[ $(answer) == 12003 ]] || fail "the constructor of the new class is not called"
