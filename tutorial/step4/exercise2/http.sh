#!/usr/bin/env bash
# Sourced: a visitor of the web server at 127.0.0.1:$port, with one cookie.
# shellcheck disable=SC2034 # what is set here is for whoever sources it
port='' cookie=''

# ask METHOD PATH [FORM]: sets `answer` to all that the server sends back, `code` to its status, and `cookie` to what it
# wants to be kept. Fails when there is no answer within two minutes.
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

# visit PATH: sets `message`, how often the page was `shown` and how many pages of this session were `seen`; all of them
# empty when the answer is no page but a form, say.
visit() {
  message='' shown='' seen=''
  ask GET "$1" || return
  [[ ! $answer =~ id=\"message\"\>([^<]*)\< ]] || message=${BASH_REMATCH[1]}
  [[ ! $answer =~ id=\"shown\"\>([0-9]+)\< ]] || shown=${BASH_REMATCH[1]}
  [[ ! $answer =~ id=\"seen\"\>([0-9]+)\< ]] || seen=${BASH_REMATCH[1]}
}

is_log_in_form() { [[ $answer == *'action="/login"'* ]]; }
