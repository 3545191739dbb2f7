# Sourced by the tests: the web server of the tutorial in a folder of the test's own, and words to say what is expected.
. "$(dirname "${BASH_SOURCE[0]}")/../live/control/lib.sh"
. "$EXERCISE/http.sh"

# Starts the server ($TARGET) at a free port; sets pid and port.
start_server() {
  local address
  mkfifo "$base/lines"
  MOULT_TUTORIAL_PORT=0 "$TARGET" >"$base/lines" 2>"$base/errors" </dev/null &
  pid=$!
  started+=("$pid")
  exec 9<"$base/lines"
  read -r -t 120 -u 9 address || fail "the server does not start: $(cat "$base/errors")"
  port=${address##*:}
}

# wait_until WHAT command...: until it succeeds, for two minutes.
wait_until() {
  local what=$1
  local deadline=$((SECONDS + 120))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || fail "waited in vain until $what"
    sleep 0.02
  done
}

# says PATH PATTERN: the page says so, and who asks is not asked to log in.
says() {
  visit "$1" || fail "no answer to $1"
  [[ $message =~ $2 ]] || fail "$1 says \"$message\" and not \"$2\": $answer"
}

# old_version, new_version: the server asks nobody, or everybody new, to log in.
old_version() { says /hello "Hello, stranger!"; }
new_version() {
  local cookie=''
  visit /hello || fail "no answer to /hello"
  is_log_in_form || fail "nobody is asked to log in: $answer"
}

applied() { expect 0 "log-in: applied" "$MOULT" apply "$pid" "$SOLUTION" --timeout 600; }
rolled_back() {
  local update
  for update in "$@"; do expect 0 "$update: rolled back" "$MOULT" rollback "$pid" "$update" --timeout 600; done
}

# begin_load [PAUSE]: wrk's visitors come until end_load, with so many milliseconds from an answer to the next request.
begin_load() {
  export STOP=$base/stop LEFT=$base/left FIGURES=$base/figures WRONG=$base/wrong PAUSE=${1-}
  rm -f "$STOP" "$LEFT" "$FIGURES" "$WRONG"
  : >"$LEFT"
  wrk --threads "$visitors" --connections "$visitors" --duration 7000s --timeout 120s \
    --script "$SOURCES/load.lua" "http://127.0.0.1:$port/" >"$base/wrk" 2>&1 &
  load=$!
  started+=("$load")
}
visitors=8

have_left() { (($(wc -l <"$LEFT") == visitors)) || ! kill -0 "$load" 2>/dev/null; }

# Every visitor leaves after an answer: what was asked for was served. Sets the array `figure`; nothing may be wrong.
end_load() {
  local name number
  touch "$STOP"
  wait_until "every visitor has left" have_left
  kill -INT "$load" 2>/dev/null || true # wrk sleeps until its time is over
  wait "$load" || fail "wrk: $(cat "$base/wrk")"
  declare -gA figure=()
  while read -r name number; do figure[$name]=$number; done <"$FIGURES"
  ((figure[wrong] == 0)) || fail "${figure[wrong]} answers are wrong: $(head -c 2000 "$WRONG")"
  ((figure[socket_errors] == 0 && figure[status_errors] == 0)) || fail "requests failed: $(cat "$base/wrk")"
  served=$((served + figure[served]))
}
served=0

# What the pages count is what was served to visitors, no more and no less. To ask counts too.
# Sets `counted` to what they have counted since they were asked the last time.
counts_are_right() {
  local path sum=0 asked=0
  for path in /hello /banana /coconut; do
    visit "$path"
    [[ -n $shown ]] || fail "$path shows no count: $answer"
    sum=$((sum + shown - 1))
    asked=$((asked + 1))
  done
  ((sum == served)) || fail "the pages count $sum, and $served were served"
  counted=$((sum - counted_before))
  served=$((served + asked)) counted_before=$((sum + asked))
}
counted_before=0
