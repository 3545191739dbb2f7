#!/usr/bin/env bash
# An update throws in the middle of the entries: nothing is changed, and nobody notices.
# shellcheck source=examples/key_value_server/tests/lib.sh
source "$(dirname "$0")/lib.sh"

start_loaded_server --threads 2
start_clients
replies OK SET beginning yes
expect 1 "no entry may begin with y" "$moult" apply "$server" "$programs/key_value_throwing.so" --timeout 100
await_requests
is_of_version_1
good_update_applies
replies yes GET beginning
stop_server
