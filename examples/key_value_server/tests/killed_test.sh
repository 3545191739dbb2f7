#!/usr/bin/env bash
# The sender of an update is killed: while the update is built, and while the server is told of it.
# shellcheck source=examples/key_value_server/tests/lib.sh
source "$(dirname "$0")/lib.sh"
export TMPDIR=$folder # where it is built

start_loaded_server --threads 2
start_clients

# The compiler waits for the rest of the source, so it is killed in the middle of that.
mkfifo "$folder/rest.hpp"
echo '#include "rest.hpp"' >"$folder/endless.cpp"
"$moult" apply "$server" "$folder/endless.cpp" -p "$MOULT_BUILD" >/dev/null 2>&1 &
sender=$!
exec {rest}>"$folder/rest.hpp" # when the compiler reads
kill -KILL "$sender"
wait "$sender" || true
exec {rest}>&-
await_requests
is_of_version_1

# Half a request has come to the server.
mkfifo "$folder/said"
# shellcheck disable=SC2016
perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) or die; connect(S, pack_sockaddr_un($ARGV[0])) or die;
  syswrite(S, "{\"command\":\"update\",\"path\":\"/"); syswrite(STDOUT, "said\n"); sleep' \
  "$XDG_RUNTIME_DIR/moult/$server.sock" >"$folder/said" &
sender=$!
read -r _ <"$folder/said" || fail "nothing could be sent"
kill -KILL "$sender"
wait "$sender" || true
await_requests

good_update_applies
stop_server
