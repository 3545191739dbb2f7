#!/usr/bin/env bash
# Sourced by the tests: a server in a folder of its own, clients, and words to say what is expected.
#
#   MOULT_BUILD    the build folder
# shellcheck source=tests/live/control/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../tests/live/control/lib.sh"

programs=$MOULT_BUILD/examples/key_value_server
moult=$MOULT_BUILD/cli/moult
folder=$base
keys=20000 # of the prober's, and as many others
server='' prober='' benchmark=''

end_all() {
  local pid
  for pid in $benchmark $prober $server; do kill -KILL "$pid" 2>/dev/null || true; done
  wait || true
}
finish() {
  end_all
  rm -rf "$folder"
}
trap 'exit 130' INT TERM

# start_server OPTION...: sets server and port.
start_server() {
  local line
  mkfifo "$folder/lines"
  "$programs/key_value_server" "$@" >"$folder/lines" 2>"$folder/log" &
  server=$!
  read -r line <"$folder/lines" || fail "the server ended: $(cat "$folder/log")"
  rm "$folder/lines"
  [[ $line =~ ^serving\ ([0-9]+)\ keys\ on\ port\ ([0-9]+)$ ]] || fail "the server says \"$line\""
  port=${BASH_REMATCH[2]}
}

# stop_server: as a user would; it must end well.
stop_server() {
  kill "$server"
  wait "$server" || fail "the server ended with $?: $(cat "$folder/log")"
  server=
}

start_loaded_server() {
  "$programs/key_value_prober" --write "$folder/keys" --keys "$keys"
  start_server --load "$folder/keys" "$@"
}

cli() { redis-cli -p "$port" "$@"; }

# replies EXPECTED WORD...: of redis-cli.
replies() {
  local wanted=$1 reply
  shift
  reply=$(cli "$@")
  [[ $reply == "$wanted" ]] || fail "$*: \"$reply\" instead of \"$wanted\""
}

# The load: redis-benchmark without end, and the prober, which checks what it is answered.
start_clients() {
  redis-benchmark -p "$port" -t set,get,incr -r "$keys" -n 1000 -P 4 -l -q >/dev/null 2>"$folder/benchmark" &
  benchmark=$!
  mkfifo "$folder/probes"
  "$programs/key_value_prober" --port "$port" --keys "$keys" --progress 200 \
    >"$folder/probes" 2>"$folder/mistakes" &
  prober=$!
  exec {probes}<"$folder/probes"
  await_requests
}

# Some hundred requests have begun and were answered since the call; what was said before it may be on its way.
await_requests() {
  local line
  while read -r -t 0 -u "$probes"; do read -r -u "$probes" line; done
  for _ in 1 2 3; do
    read -r -u "$probes" line || fail "the prober ended: $(cat "$folder/mistakes")"
  done
}

# Ends the clients: redis-benchmark must still be there, and the prober must have had all its replies, all right ones.
# Sets of_version_1 and of_version_2, the counts of replies that only these give.
stop_clients() {
  local line last=''
  kill -0 "$benchmark" 2>/dev/null || fail "redis-benchmark ended: $(cat "$folder/benchmark")"
  kill "$benchmark"
  wait "$benchmark" || true
  benchmark=
  kill "$prober"
  while read -r -u "$probes" line; do last=$line; done
  exec {probes}<&-
  rm "$folder/probes"
  wait "$prober" || fail "the prober ended with $?: $last: $(cat "$folder/mistakes")"
  prober=
  [[ $last =~ ^requests\ [0-9]+\ wrong\ 0\ lost\ 0\ version_1\ ([0-9]+)\ version_2\ ([0-9]+)$ ]] ||
    fail "the prober says \"$last\""
  of_version_1=${BASH_REMATCH[1]} of_version_2=${BASH_REMATCH[2]}
}

is_of_version_1() { replies "ERR unknown command 'TTL'" TTL probe:0; }

# While the clients go on a good update applies: they must have seen both versions then, and nothing wrong.
good_update_applies() {
  is_of_version_1
  expect 0 "version 2: applied" "$moult" apply "$server" "$programs/key_value_lazy.so" --timeout 100
  await_requests
  stop_clients
  ((of_version_1 > 0 && of_version_2 > 0)) || fail "$of_version_1 replies of version 1, $of_version_2 of version 2"
}
