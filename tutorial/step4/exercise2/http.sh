#!/usr/bin/env bash
# Sourced: a visitor of the web server at 127.0.0.1:$port, with one cookie.
# shellcheck disable=SC2034 # the sourcing script reads these variables
port='' cookie=''

# ask METHOD PATH [FORM]: sets `answer` to the whole answer, `code` to its status, and `cookie` if the answer sets one. Fails
# if there is no answer within two minutes.
ask() {
  local connection form=${3-}
  exec {connection}<>"/dev/tcp/127.0.0.1/$port" || return
  printf '%s\r\n' "$1 $2 HTTP/1.1" "Host: localhost:$port" "Connection: close" "Cookie: session=$cookie" \
    "Content-Type: application/x-www-form-urlencoded" "Content-Length: ${#form}" "" >&"$connection"
  printf %s "$form" >&"$connection"
  answer=$(timeout 120 cat <&"$connection") || return
  exec {connection}>&-
  read -r _ code _ <<<"$answer"
  [[ ! $answer =~ Set-Cookie:\ session=([0-9a-f]+) ]] || cookie=${BASH_REMATCH[1]}
}

# visit PATH: sets `message`, `shown` (how often the page was shown) and `seen` (how many pages this session has seen). They
# are empty if the answer is not a page, but a form for example.
visit() {
  message='' shown='' seen=''
  ask GET "$1" || return
  [[ ! $answer =~ id=\"message\"\>([^<]*)\< ]] || message=${BASH_REMATCH[1]}
  [[ ! $answer =~ id=\"shown\"\>([0-9]+)\< ]] || shown=${BASH_REMATCH[1]}
  [[ ! $answer =~ id=\"seen\"\>([0-9]+)\< ]] || seen=${BASH_REMATCH[1]}
}

is_log_in_form() { [[ $answer == *'action="/login"'* ]]; }
