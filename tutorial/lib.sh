#!/usr/bin/env bash
# The common part of every test.sh: start the application, show its lines, apply the update, show more lines, stop the
# application, check the trace. A test.sh defines `check_trace LINE...` and calls `run_exercise TARGET "$@"` in its own
# folder. It may define `look_before` and `look_after` to replace the lines shown before and after the update.
#
# The application and the moult command write to one pipe, which keeps their lines in order. So this script waits for
# lines, never for time. The command's lines begin with a mark (\001).
#
#   MOULT_BUILD                    the build folder instead of build/dev of this repository
#   MOULT_TUTORIAL_MILLISECONDS    the application's period, for tests in a hurry
#   MOULT_TUTORIAL_TIMEOUT         the seconds that the command waits for the outcome, for a busy machine

tutorial=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${MOULT_BUILD:-$(dirname "$tutorial")/build/dev}
[[ $build == /* ]] || build=$OLDPWD/$build # test.sh has changed to its own folder
lines_before=3       # lines to show before the update is sent
lines_after=3        # lines to show after the command has returned
silence_seconds=120  # after this long without a line, the application or the command hangs
trace=()             # the application's lines, in order
said=()              # the command's lines, in order

[[ -t 1 ]] && bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m' || bold='' green='' red='' plain=''

headline() { echo "$bold== $*$plain"; }

# give_up STATUS TEXT: 1 if the exercise is not solved, 2 if it could not be tried.
give_up() {
  if [[ -s ${folder-}/log ]]; then
    headline "the application's log"
    sed 's/^/  /' "$folder/log"
  fi
  echo "${red}test.sh: $2$plain" >&2
  exit "$1"
}

need_built() {
  local target=$1 file
  for file in "$application" "$moult"; do
    [[ -x $file ]] || give_up 2 "$file is missing. Build it in the repository's folder:
  cmake --preset dev && cmake --build --preset dev --target $target
or name another build folder of moult in MOULT_BUILD."
  done
}

need_update() {
  [[ -f $1 ]] || give_up 1 "$1 is missing. You write this file yourself: README.md describes its contents."
}

# Each run has its own runtime folder, so that simultaneous runs do not see each other's programs.
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

# Applies the update. The command's lines go into the same pipe, its exit code last.
send_update() {
  status=
  {
    local code=0
    "$moult" apply "$program_pid" "$1" ${MOULT_TUTORIAL_TIMEOUT:+--timeout "$MOULT_TUTORIAL_TIMEOUT"} 2>&1 || code=$?
    echo "exit $code"
  } </dev/null | sed -u 's/^/\x01/' >"$folder/lines" &
}

# Reads one line from the pipe, shows it and records it. The command's last one sets `status` to its exit code, whenever
# it comes: the command may end before the application has said what is waited for.
next_line() {
  local line
  IFS= read -r -t "$silence_seconds" -u "$lines" line ||
    give_up 1 "the application, process $program_pid, prints nothing more: it has ended or hangs"
  if [[ $line != $'\001'* ]]; then
    trace+=("$line")
    echo "  $line"
  elif [[ $line == $'\001exit '* ]]; then
    status=${line##* }
  else
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

# Shows lines until the command has returned, and `status` is its exit code.
await_command() {
  while [[ -z $status ]]; do next_line; done
}

run_exercise() {
  local target=$1 update=update.cpp status
  [[ ${2-} == solution ]] && update=solution.cpp
  [[ -z ${2-} || ${2-} == solution ]] || give_up 2 "usage: ./test.sh [solution]"
  application=$build/tutorial/$target
  moult=$build/cli/moult
  need_update "$update"
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
  headline "the same process continues"
  look_after
  stop_application
  conclude "$update"
}

# Repeats the command's line "hello: applied in 18 ms to app (pid 4711): CHANGES; paused 43 µs, 3 threads" in other words.
summarise() {
  local text
  for text in "${said[@]}"; do
    [[ $text =~ ^(.*):\ applied\ .*\(pid\ ([0-9]+)\):\ (.*)\;\ paused\ (.*),\ (.*)$ ]] || continue
    echo "  update \"${BASH_REMATCH[1]}\" in process ${BASH_REMATCH[2]}: ${BASH_REMATCH[3]}"
    echo "  the program was stopped for ${BASH_REMATCH[4]} (${BASH_REMATCH[5]}) and was not restarted"
  done
}

conclude() {
  ((status == 0)) || give_up 1 "$1 is not applied (moult apply ended with $status): the lines above say why"
  check_trace "${trace[@]}"
  headline "what happened"
  summarise
  echo "${green}The trace is right.$plain"
}

# wrong TEXT: check_trace rejects the trace.
wrong() { give_up 1 "wrong trace: $*"; }

# The trace of the hello exercises: "hello world", then "hello NAME" forever, and nothing else.
check_hello_trace() {
  local text updated=
  [[ $1 == "hello world" ]] || wrong "it begins with \"$1\" instead of \"hello world\""
  for text in "$@"; do
    if [[ -n $updated ]]; then
      [[ $text == "$updated" ]] || wrong "\"$text\" after \"$updated\": the greeting must not change again"
    elif [[ $text != "hello world" ]]; then
      [[ $text =~ ^hello\ [^\ ] ]] || wrong "\"$text\" is not a \"hello NAME\""
      updated=$text
    fi
  done
  [[ -n $updated ]] || wrong "\"hello world\" until the end: hello was not replaced"
}

# check_list_trace SEAM LINE...: the trace of the Fibonacci lists. Each line is "N Data: " and the last five elements, and N
# grows by one. After the update all elements have the same origin. SEAM says where the first of them may be: `anywhere`
# or at the beginning of a line (`between_lines`).
check_list_trace() {
  local seam=$1 text element count=2 index origin='' elements before numbers=(0 1)
  shift
  for text in "$@"; do
    [[ $text == "$count Data: "* ]] || wrong "\"$text\" where $count Data were expected"
    while ((${#numbers[@]} < count)); do numbers+=($(((numbers[-2] + numbers[-1]) % 1000000))); done
    IFS=, read -r -a elements <<<"${text#*:}"
    index=$((count > 5 ? count - 5 : 0)) before=$origin
    ((${#elements[@]} == count - index)) || wrong "\"$text\" shows ${#elements[@]} elements instead of $((count - index))"
    for element in "${elements[@]}"; do
      [[ $element =~ ^\ ${numbers[index]}(\ from\ (.+))?$ ]] ||
        wrong "\"$element\" where the element ${numbers[index]} was expected"
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
