# A program goes on when its main thread ends by pthread_exit, and so does every command.
. "$(dirname "$0")/lib.sh"
start_target "$BINARIES/live_control_without_main"
name=live_control_without_main

expect 0 "$pid +$name +listening +[0-9]+ +0 +$BINARIES/$name" "$MOULT" ps
expect 0 "$name \(pid $pid\) +$BINARIES/$name.*build id [0-9a-f]{40}" "$MOULT" status "$name"
living=$(cat /proc/"$pid"/task/*/stat | grep -c ') [^Z] ')
expect 0 "[^0-9]$living threads" "$MOULT" status "$name"
expect 0 "serve\(unsigned long\)\+0x[0-9a-f]+" "$MOULT" threads "$pid"
expect 0 "greeting = 0x[0-9a-f]+ \"good day\"" "$MOULT" threads "$pid" --locals
expect 0 "answer\(\)" "$MOULT" functions "$pid" answer
expect 0 "answer: check passed" "$MOULT" check "$pid" "$SOURCES/answer_update.cpp"
[[ $(answer) == 1 ]] || fail "a dry run has changed something"
expect 0 "answer: applied" "$MOULT" apply "$pid" "$SOURCES/answer_update.cpp"
[[ $(answer) == 2 ]] || fail "the update is not in force"
expect 0 "answer: rolled back" "$MOULT" rollback "$name" answer
[[ $(answer) == 1 ]] || fail "the update is still in force"
expect 0 "answer: applied" "$MOULT" apply "$name" "$BINARIES/live_control_answer_without_main.so"
[[ $(answer) == 2 ]] || fail "the update built beforehand is not in force"
expect 3 "was built for the program with build id" "$MOULT" apply "$name" "$BINARIES/live_control_answer.so"

# Its runtime folder is found in its environment, not in the command's.
XDG_RUNTIME_DIR=$base/elsewhere expect 0 "answer +applied" "$MOULT" status "$pid"
