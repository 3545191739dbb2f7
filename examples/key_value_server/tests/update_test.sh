#!/usr/bin/env bash
# usage: update_test.sh eager|lazy   Updates the server under load, and takes the update back: every reply is right.
# shellcheck source=examples/key_value_server/tests/lib.sh
source "$(dirname "$0")/lib.sh"

start_loaded_server --threads 2
start_clients
is_of_version_1
expect 0 "version 2: applied" "$moult" apply "$server" "$programs/key_value_$1.so" --timeout 100
await_requests
stop_clients
((of_version_1 > 0 && of_version_2 > 0)) || fail "$of_version_1 replies of version 1, $of_version_2 of version 2"
replies 1 EXPIRE key:000000000001 100

expect 0 "version 2: rolled back" "$moult" rollback "$server" "version 2"
is_of_version_1
redis-benchmark -p "$port" -t set,get -r "$keys" -n 10000 -q >/dev/null || fail "redis-benchmark after the rollback"
stop_server
