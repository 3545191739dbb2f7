# A program that is compiled with hidden visibility: an update has the program's state, also what is static, and its own
# code.
. "$(dirname "$0")/lib.sh"
for program in live_control_hidden_state live_control_exported_state; do
  start_target "$BINARIES/$program"
  [[ $(answer Ada) == "100 hello Ada 111" ]] || fail "the program counts otherwise"
  [[ $(answer Ada) == "101 hello Ada 222" ]] || fail "the program counts otherwise"
  expect 0 "greet: applied" "$MOULT" apply "$pid" "$SOURCES/hidden_state_source.cpp"
  greeting=$(answer Bob)
  [[ $greeting == "112 good day Bob 333" ]] || fail "$program: the update says $greeting"
  expect 0 "greet: rolled back" "$MOULT" rollback "$pid" greet
  greeting=$(answer Bob)
  [[ $greeting == "113 hello Bob 444" ]] || fail "$program: after the rollback, the program says $greeting"
done
