#!/usr/bin/env bash
# Version 2 by edits of the server's own sources: the patch becomes an update, which is applied and taken back under
# load, and every reply is right.
# shellcheck source=examples/key_value_server/tests/lib.sh
source "$(dirname "$0")/lib.sh"

patch=$(dirname "$0")/../version_2.patch
expect 0 "objects of key_value::Entry get the new layout" \
  "$moult" build "$programs/key_value_server" --patch "$patch" -o "$folder/version_2.so"

start_loaded_server --threads 2
start_clients
is_of_version_1
expect 0 "applied .* objects of key_value::Entry given the new layout" \
  "$moult" apply "$server" "$folder/version_2.so" --timeout 100
await_requests
stop_clients
((of_version_1 > 0 && of_version_2 > 0)) || fail "$of_version_1 replies of version 1, $of_version_2 of version 2"
replies 1 EXPIRE key:000000000001 100
replies 100 TTL key:000000000001

expect 0 "rolled back" "$moult" rollback "$server" --all
is_of_version_1
redis-benchmark -p "$port" -t set,get -r "$keys" -n 10000 -q >/dev/null || fail "redis-benchmark after the rollback"
stop_server
