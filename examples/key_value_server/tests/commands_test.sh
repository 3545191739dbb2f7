#!/usr/bin/env bash
# redis-cli gets what each version's commands promise.
# shellcheck source=examples/key_value_server/tests/lib.sh
source "$(dirname "$0")/lib.sh"

start_server --save "$folder/saved"
replies PONG PING
replies hello PING hello
replies "" GET name
replies OK SET name Ada
replies Ada GET name
replies OK SET name "a value that is too long to lie in its entry"
replies "a value that is too long to lie in its entry" GET name
replies 1 INCR count
replies 2 incr count
replies "ERR value is not an integer or out of range" INCR name
replies OK SET most 9223372036854775807
replies "ERR increment or decrement would overflow" INCR most
replies 2 DEL most name nobody
replies "" GET name
replies "ERR wrong number of arguments for 'GET'" GET
replies "ERR unknown command 'EXPIRE'" EXPIRE count 100
replies "ERR unknown command 'TTL'" TTL count
[[ $(cli INFO) == *version:1*keys:1* ]] || fail "INFO says $(cli INFO)"

# Several requests at once, one of them as an array that is cut in two.
exec {connection}<>"/dev/tcp/127.0.0.1/$port"
# shellcheck disable=SC2016 # they are the protocol's
printf 'PING\r\nSET a 1\r\nINCR a\r\n*2\r\n$3\r\nD' >&"$connection"
for reply in +PONG +OK :2; do
  IFS=$'\r' read -r line _ <&"$connection"
  [[ $line == "$reply" ]] || fail "\"$line\" instead of \"$reply\" in a pipeline"
done
# shellcheck disable=SC2016 # so is this
printf 'EL\r\n$1\r\na\r\n*x\r\n' >&"$connection"
IFS=$'\r' read -r line _ <&"$connection"
[[ $line == :1 ]] || fail "\"$line\" to the request that was cut in two"
IFS=$'\r' read -r line _ <&"$connection"
[[ $line == "-ERR Protocol error"* ]] || fail "\"$line\" to what is no request"
read -r line <&"$connection" && fail "the connection is open after what is no request"

expect 0 "version 2: applied" "$moult" apply "$server" "$programs/key_value_eager.so" --timeout 100
replies 2 GET count
replies -1 TTL count
replies 1 EXPIRE count 100
[[ $(cli TTL count) =~ ^(100|9[0-9])$ ]] || fail "TTL says $(cli TTL count)"
replies 3 INCR count # which leaves it to expire
[[ $(cli INFO KEY count) == *version:2*ttl:[1-9]* ]] || fail "INFO KEY says $(cli INFO KEY count)"
replies OK SET count 3
replies -1 TTL count
[[ $(cli INFO) == *version:2*keys:1* ]] || fail "INFO says $(cli INFO)"
replies 0 EXPIRE nobody 100
replies -2 TTL nobody
replies OK SET gone 1
replies 1 EXPIRE gone 0
replies "" GET gone
replies OK SET kept 1
replies 1 EXPIRE kept 1000

stop_server
grep -q -a EXPIRE "$folder/saved" || fail "what was saved does not expire"
