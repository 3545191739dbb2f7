#!/usr/bin/env bash
# What every exercise's test.sh does: start the application, show its lines, send it the update, show more lines, stop it,
# and judge the trace. The caller defines `check_trace LINE...` and calls `run_exercise TARGET "$@"` in its own folder. What
# is looked at before and after the update it may define as well: `look_before`, `look_after`.
#
# Everything that is shown comes through one pipe in the order it was written, so nothing here waits for time to pass:
# what the application prints as it is, what the moult command prints behind a mark (\001).
#
#   MOULT_BUILD                    the build folder; else build/dev of this repository
#   MOULT_TUTORIAL_MILLISECONDS    the application's period, for tests that have no two seconds for a line
#   MOULT_TUTORIAL_TIMEOUT         how many seconds the command waits for the outcome, where a machine is busy with tests

tutorial=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${MOULT_BUILD:-$(dirname "$tutorial")/build/dev}
lines_before=3       # lines to show before the update is sent
lines_after=3        # lines to show once the command has returned
silence_seconds=120  # the application or the command hangs when nothing was said for so long
trace=()             # the application's lines, in order
said=()              # the command's

[[ -t 1 ]] && bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m' || bold='' green='' red='' plain=''

headline() { echo "$bold== $*$plain"; }

# give_up STATUS TEXT: 1 when the exercise is not solved, 2 when it could not be tried.
give_up() {
  if [[ -s ${folder-}/log ]]; then
    headline "what the application's log says"
    sed 's/^/  /' "$folder/log"
  fi
  echo "${red}test.sh: $2$plain" >&2
  exit "$1"
}

need_built() {
  local target=$1 file
  for file in "$application" "$moult"; do
    [[ -x $file ]] || give_up 2 "$file is not there. Build it, in the repository's folder:
  cmake --preset dev && cmake --build --preset dev --target $target
or name another build folder of moult in MOULT_BUILD."
  done
}

# A runtime folder of this run's own, so that runs at the same time do not see each other's programs.
prepare_folder() {
  folder=$(mktemp -d "${TMPDIR:-/tmp}/moult-tutorial.XXXXXX")
  mkdir -m 700 "$folder/run"
  mkfifo "$folder/lines"
  export XDG_RUNTIME_DIR=$folder/run
}

clean_up() {
  [[ -z ${program_pid-} ]] || stop_application
  [[ -z ${folder-} ]] || rm -rf "$folder"
}

start_application() {
  "$application" >"$folder/lines" 2>"$folder/log" </dev/null &
  program_pid=$!
  exec {lines}<"$folder/lines"
}

stop_application() {
  kill "$program_pid" 2>/dev/null || true
  wait "$program_pid" 2>/dev/null || true
  program_pid=
}

# Sends the update. Its lines go into the same pipe, the exit code last.
send_update() {
  {
    local status=0
    "$moult" apply "$program_pid" "$1" ${MOULT_TUTORIAL_TIMEOUT:+--timeout "$MOULT_TUTORIAL_TIMEOUT"} 2>&1 || status=$?
    echo "exit $status"
  } </dev/null | sed -u 's/^/\x01/' >"$folder/lines" &
}

# Takes one line from the pipe, shows it and remembers it; `line` is that line.
next_line() {
  IFS= read -r -t "$silence_seconds" -u "$lines" line ||
    give_up 1 "nothing more is heard of the application, process $program_pid: it has ended or hangs"
  if [[ $line != $'\001'* ]]; then
    trace+=("$line")
    echo "  $line"
  elif [[ $line != $'\001exit '* ]]; then
    said+=("${line#?}")
    echo "    $green| ${line#?}$plain"
  fi
}

show_lines() {
  local until_count=$((${#trace[@]} + $1))
  while ((${#trace[@]} < until_count)); do next_line; done
}

look_before() { show_lines "$lines_before"; }
look_after() { show_lines "$lines_after"; }

# Shows what comes until the command has returned; `status` is its exit code.
await_command() {
  line=
  while [[ $line != $'\001exit '* ]]; do next_line; done
  status=${line##* }
}

run_exercise() {
  local target=$1 update=update.cpp line status
  [[ ${2-} == solution ]] && update=solution.cpp
  [[ -z ${2-} || ${2-} == solution ]] || give_up 2 "usage: ./test.sh [solution]"
  application=$build/tutorial/$target
  moult=$build/cli/moult
  need_built "$target"
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  prepare_folder

  start_application
  headline "the application runs: process $program_pid"
  look_before
  headline "moult apply $program_pid $update"
  send_update "$PWD/$update"
  await_command
  headline "the same process goes on"
  look_after
  stop_application
  conclude "$update"
}

# "hello: applied in 18 ms to app (pid 4711): CHANGES; paused 43 µs, 3 threads", as the moult command says it, once more
# with the words that matter here.
summarise() {
  local text
  for text in "${said[@]}"; do
    [[ $text =~ ^(.*):\ applied\ .*\(pid\ ([0-9]+)\):\ (.*)\;\ paused\ (.*),\ (.*)$ ]] || continue
    echo "  update \"${BASH_REMATCH[1]}\" in process ${BASH_REMATCH[2]}: ${BASH_REMATCH[3]}"
    echo "  the program stood still for ${BASH_REMATCH[4]} (${BASH_REMATCH[5]} stopped), and was not started again"
  done
}

conclude() {
  ((status == 0)) || give_up 1 "$1 is not in force (moult apply ended with $status): moult says above what is missing"
  check_trace "${trace[@]}"
  headline "what happened"
  summarise
  echo "${green}The trace is right.$plain"
}

# wrong TEXT: what check_trace says of a trace that is not the exercise's.
wrong() { give_up 1 "wrong trace: $*"; }

# The trace of the hello exercises: "hello world", from some line on "hello NAME" for ever, and nothing else.
check_hello_trace() {
  local text updated=
  [[ $1 == "hello world" ]] || wrong "it begins with \"$1\", not with \"hello world\""
  for text in "$@"; do
    if [[ -n $updated ]]; then
      [[ $text == "$updated" ]] || wrong "\"$text\" after \"$updated\": the update must hold from its first line on"
    elif [[ $text != "hello world" ]]; then
      [[ $text =~ ^hello\ [^\ ] ]] || wrong "\"$text\" is no \"hello NAME\""
      updated=$text
    fi
  done
  [[ -n $updated ]] || wrong "\"hello world\" to the end: hello was not replaced"
}

# check_list_trace SEAM LINE...: the trace of the Fibonacci lists: "N Data: " and the last five elements, one more in each
# line, from some element on all of the same origin. SEAM is where that may be: `anywhere`, or `between_lines`.
check_list_trace() {
  local seam=$1 text element count=2 index origin='' elements before numbers=(0 1)
  shift
  for text in "$@"; do
    [[ $text == "$count Data: "* ]] || wrong "\"$text\" where $count Data were due"
    while ((${#numbers[@]} < count)); do numbers+=($(((numbers[-2] + numbers[-1]) % 1000000))); done
    IFS=, read -r -a elements <<<"${text#*:}"
    index=$((count > 5 ? count - 5 : 0)) before=$origin
    ((${#elements[@]} == count - index)) || wrong "\"$text\" shows ${#elements[@]} elements instead of $((count - index))"
    for element in "${elements[@]}"; do
      [[ $element =~ ^\ ${numbers[index]}(\ from\ ([^ ]+))?$ ]] ||
        wrong "\"$element\" where the element ${numbers[index]} was due"
      [[ -z $origin || ${BASH_REMATCH[2]} == "$origin" ]] || wrong "\"$element\" after one from $origin"
      origin=${BASH_REMATCH[2]}
      index=$((index + 1))
    done
    [[ $seam == anywhere || $origin == "$before" || ${elements[0]} == *" from "* ]] ||
      wrong "the line of $count Data begins without and ends with an origin"
    count=$((count + 1))
  done
  [[ -n $origin ]] || wrong "no Data has an origin: the objects were not converted"
}
