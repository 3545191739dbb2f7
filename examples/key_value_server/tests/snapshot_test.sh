#!/usr/bin/env bash
# What is saved at the end is there again after a start, and a file that is damaged is refused.
# shellcheck source=examples/key_value_server/tests/lib.sh
source "$(dirname "$0")/lib.sh"

start_loaded_server --save "$folder/saved"
replies OK SET "a key" $'two\r\nlines'
stop_server
start_server --load "$folder/saved"
replies $'two\r\nlines' GET "a key"
replies "value 77.0" GET probe:77
[[ $(cli INFO) == *keys:$((2 * keys + 1))* ]] || fail "INFO says $(cli INFO)"
stop_server

head -c 1000 "$folder/saved" >"$folder/half"
expect 1 "in the middle of a request" "$programs/key_value_server" --load "$folder/half"
expect 1 "No such file" "$programs/key_value_server" --load "$folder/nothing"
echo "HELLO" >"$folder/other"
expect 1 "unknown command" "$programs/key_value_server" --load "$folder/other"
