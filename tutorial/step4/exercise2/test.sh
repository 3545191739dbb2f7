#!/usr/bin/env bash
# usage: ./test.sh [solution]   Starts the web server, visits its pages, waits for a key, applies the update, and visits
# the pages again. The trace is the pages' text. After the update they must ask for a log-in and then address the user by name.
# The counts of the pages and of the visitor's session must continue.
#
#   MOULT_TUTORIAL_PORT    the port instead of 8080; 0: any free one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tutorial/lib.sh
source ../../lib.sh

# shellcheck source=tutorial/step4/exercise2/http.sh
source http.sh

note() {
  trace+=("$1")
  echo "  $1"
}

# look_at PATH: "/hello: MESSAGE | TIMES SHOWN | PAGES SEEN", or "/hello: log in".
look_at() {
  visit "$1" || give_up 1 "no answer to GET $1"
  if [[ -n $message ]]; then
    note "$1: $message | $shown | $seen"
  elif is_log_in_form; then
    note "$1: log in"
  else
    note "$1: $code"
  fi
}

# submit PATH FORM: "PATH FORM: STATUS".
submit() {
  ask POST "$1" "$2" || give_up 1 "no answer to POST $1"
  note "$1 $2: $code"
}

# The end of the input counts as a key press.
await_key() {
  headline "$1"
  IFS= read -r -s -n 1 || true
}

look_before() {
  show_lines 1
  port=${trace[0]##*:}
  [[ $port =~ ^[0-9]+$ ]] || give_up 1 "\"${trace[0]}\" where an address was expected"
  trace=()
  look_at /hello
  look_at /hello
  look_at /banana
  await_key "visit http://localhost:$port/hello, /banana and /coconut; press a key for the update"
}

look_after() {
  look_at /hello
  submit /login "page=/hello&user=ada&password=hopper"
  look_at /hello
  submit /login "page=/hello&user=ada&password=lovelace"
  look_at /hello
  look_at /coconut
  submit /logout ""
  look_at /hello
  [[ ! -t 0 ]] || await_key "log in as ada with the password lovelace; press a key to end"
}

# said TEXT MESSAGE LEAST SEEN: TEXT must be a page with that message. It was shown LEAST times or more, since others visit pages
# too, and is page number SEEN of the session. Sets `shown`.
said() {
  [[ $1 =~ ^[^:]*:\ (.*)\ \|\ ([0-9]+)\ \|\ ([0-9]+)$ ]] || wrong "\"$1\" where \"$2\" was expected"
  [[ ${BASH_REMATCH[1]} == "$2" ]] || wrong "\"$1\" where \"$2\" was expected"
  shown=${BASH_REMATCH[2]}
  ((shown >= $3)) || wrong "\"$1\": the page was shown at least $3 times, and must keep its count"
  ((BASH_REMATCH[3] == $4)) || wrong "\"$1\": it is page $4 of the session, which must keep its count"
}

same() { [[ $1 == "$2" ]] || wrong "\"$1\" where \"$2\" was expected"; }

check_trace() {
  local shown=0
  (($# == 11)) || wrong "$# answers where 11 were expected"
  said "$1" "Hello, stranger!" 1 1
  said "$2" "Hello, stranger!" $((shown + 1)) 2
  local hello=$shown
  said "$3" "Have a banana, stranger." 1 3
  same "$4" "/hello: log in"
  same "$5" "/login page=/hello&user=ada&password=hopper: 403"
  same "$6" "/hello: log in"
  same "$7" "/login page=/hello&user=ada&password=lovelace: 303"
  said "$8" "Hello, ada!" $((hello + 1)) 4
  said "$9" "Mind the coconut, ada!" 1 5
  same "${10}" "/logout : 303"
  same "${11}" "/hello: log in"
}

run_exercise step4_exercise2 "$@"
