#!/usr/bin/env bash
# A command does not come to its end. An update that has to wait for it gives up in time, and the next one applies when
# it has ended.
# shellcheck source=examples/key_value_server/tests/lib.sh
source "$(dirname "$0")/lib.sh"

start_loaded_server --debug-commands --threads 3
cli DEBUG STAY >"$folder/stayed" &
stayer=$!
until "$moult" threads "$server" | grep -q "::debug"; do :; done
start_clients # served by the other threads
expect 1 "execute.* is active in" "$moult" apply "$server" "$programs/key_value_eager.so" --timeout 100
await_requests
is_of_version_1
replies OK DEBUG LEAVE
wait "$stayer"
[[ $(<"$folder/stayed") == OK ]] || fail "who stayed was answered with $(<"$folder/stayed")"
good_update_applies
stop_server
