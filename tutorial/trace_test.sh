#!/usr/bin/env bash
# usage: trace_test.sh   The exercises' test.sh must accept good traces and reject bad ones. A substitute for the application
# prints a given trace; a substitute for the moult command tells it when. The test needs neither a compiler nor moult.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

folder=$(mktemp -d "${TMPDIR:-/tmp}/moult-trace-test.XXXXXX")
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/tutorial" "$folder/cli"

# Prints the lines of BEFORE until the file `updated` exists, then those of AFTER, and then the last LOOP of these forever. A
# file, because a signal may interrupt the writes of bash.
cat >"$folder/application" <<'END'
#!/usr/bin/env bash
read -r -a before <<<"$BEFORE"
read -r -a after <<<"$AFTER"
while [[ ! -e ${0%/*}/../updated ]]; do
  for word in "${before[@]}"; do echo "${word//_/ }"; done
done
for word in "${after[@]}"; do echo "${word//_/ }"; done
while :; do
  for word in "${after[@]: -${LOOP:-1}}"; do echo "${word//_/ }"; done
done
END
cat >"$folder/cli/moult" <<'END'
#!/usr/bin/env bash
touch "${0%/*}/../updated"
echo "update of $2"
exit "${MOULT_EXIT:-0}"
END
chmod +x "$folder/application" "$folder/cli/moult"
failures=0

# expect STATUS EXERCISE TEXT: test.sh of EXERCISE must end with STATUS and print TEXT.
expect() {
  local want=$1 exercise=$2 text=$3 output status=0
  rm -f "$folder/updated"
  cp "$folder/application" "$folder/tutorial/${exercise/\//_}"
  cp "$folder/application" "$folder/tutorial/${exercise/\//_}_solved"
  output=$(MOULT_BUILD=$folder "$exercise/test.sh" solution 2>&1 </dev/null) || status=$?
  if ((status != want)) || [[ $output != *"$text"* ]]; then
    echo "FAILED: $exercise, \"$BEFORE\" then \"$AFTER\": ended with $status instead of $want, or did not print \"$text\":"
    echo "$output"
    failures=$((failures + 1))
  fi
}

for exercise in step1/exercise1 step3/exercise1 step3/exercise4; do
  export BEFORE=hello_world AFTER=hello_Ada LOOP=1
  expect 0 "$exercise" "The trace is right."
  MOULT_EXIT=3 expect 1 "$exercise" "not applied"
  AFTER=hello_world expect 1 "$exercise" "hello was not replaced"
  AFTER="hello_Ada hello_world" expect 1 "$exercise" '"hello world" after "hello Ada"'
  AFTER="hello_Ada hello_Eve" expect 1 "$exercise" '"hello Eve" after "hello Ada"'
  AFTER="ouch hello_Ada" expect 1 "$exercise" '"ouch" is not a "hello NAME"'
  BEFORE=hullo expect 1 "$exercise" 'it begins with "hullo"'
done

export BEFORE="tic tac" AFTER="tic2 tac2" LOOP=2
expect 0 step1/exercise2 "The trace is right."
AFTER="tic2 tac tic2 tac2" expect 0 step1/exercise2 "The trace is right."
AFTER="tic tac2 tic2 tac2" expect 0 step1/exercise2 "The trace is right."
AFTER="tic tac2" expect 1 step1/exercise2 "tic until the end"
AFTER="tic2 tac" expect 1 step1/exercise2 "tac until the end"
AFTER="tic2 tac2 tic tac2" expect 1 step1/exercise2 "tic again after tic2"
AFTER="tic2 tac2 tic2 tac" expect 1 step1/exercise2 "tac again after tac2"
AFTER="tic2 tic2" expect 1 step1/exercise2 "where a tac was expected"

export BEFORE="tic tac" AFTER="tic2 tac2" LOOP=2
expect 0 step3/exercise3 "The trace is right."
MOULT_EXIT=3 expect 1 step3/exercise3 "not applied"
AFTER="tic tac2 tic2 tac2" expect 1 step3/exercise3 '"tac2" after tic: the clock was changed between'
AFTER="tic2 tac" expect 1 step3/exercise3 '"tac" where tac2 was expected'
AFTER="tic2 tac2 tic tac" expect 1 step3/exercise3 '"tic" where tic2 was expected'
AFTER="tic2 tic2" expect 1 step3/exercise3 '"tic2" where tac2 was expected'
AFTER=$BEFORE expect 1 step3/exercise3 "they were not replaced"

export BEFORE="0_at_0x10 1_at_0x20 2_at_0x30 3_at_0x40 4_at_0x50" LOOP=5
export AFTER="0_from_here_at_0x10 1_from_here_at_0x20 2_from_here_at_0x30 3_from_here_at_0x40 4_from_here_at_0x50"
good=$AFTER
expect 0 step1/exercise3 "The trace is right."
AFTER=${good/0x30/0x31} expect 1 step1/exercise3 "the Data 2 has moved"
AFTER=${good/1_from_here/1} expect 1 step1/exercise3 "all Data must change in one stop"
AFTER=${good/3_from/7_from} expect 1 step1/exercise3 "where the Data 3 was expected"
AFTER=$BEFORE expect 1 step1/exercise3 "no Data has an origin"

export BEFORE="1_3_5_7_9_|_3_5_7_9_11" LOOP=2
export AFTER="2_6_10_14_18_|_6_10_14_18_22 18_2_10_6_14_|_22_6_10_14_18"
good=$AFTER
expect 0 step2/exercise2 "The trace is right."
MOULT_EXIT=3 expect 1 step2/exercise2 "not applied"
AFTER="1_3_5_7_9_|_3_5_14_18_22 $good" expect 0 step2/exercise2 "The trace is right."
AFTER=${good/22_6/44_6} expect 1 step2/exercise2 "44 was doubled more than once"
AFTER=${good/22_6/11_6} expect 1 step2/exercise2 "not all are doubled"
AFTER=${good/18_2_10/22_2_10} expect 1 step2/exercise2 "other integers than before"
AFTER=${good/_22/} expect 1 step2/exercise2 "two series of five were expected"
AFTER=$BEFORE LOOP=1 expect 1 step2/exercise2 "no integer was doubled"
AFTER=${good% *} LOOP=1 expect 1 step2/exercise2 "in ascending order"

# The lists grow, so they have another substitute. When `updated` exists, it prints ORIGIN behind each element, in the first
# line only from the element FROM on. SPOIL is a sed command for the line after that.
cat >"$folder/application" <<'END'
#!/usr/bin/env bash
lines=-1
numbers=(0 1)
while :; do
  first=$((${#numbers[@]} > 5 ? ${#numbers[@]} - 5 : 0)) line= separator=
  [[ ! -e ${0%/*}/../updated ]] || lines=$((lines < 0 ? 1 : lines + 1))
  now=$lines
  for ((i = 0; first + i < ${#numbers[@]}; ++i)); do
    line+=$separator${numbers[first + i]} separator=', '
    ((now < 0 || (now == 1 && i < FROM))) || line+=$ORIGIN
  done
  line="${#numbers[@]} Data: $line"
  ((now != 2)) || line=$(sed -e "$SPOIL" <<<"$line")
  echo "$line"
  numbers+=($(((numbers[-2] + numbers[-1]) % 1000000)))
done
END
export BEFORE=list AFTER='' ORIGIN FROM SPOIL
for exercise in step2/exercise1 step3/exercise2; do
  ORIGIN=" from here" FROM=0 SPOIL=
  expect 0 "$exercise" "The trace is right."
  MOULT_EXIT=3 expect 1 "$exercise" "not applied"
  SPOIL='s/ from here$//' expect 1 "$exercise" "after one from here"
  SPOIL='s/here$/there/' expect 1 "$exercise" "after one from here"
  SPOIL='s/ [0-9]* from/ 17 from/' expect 1 "$exercise" '" 17 from here" where the element'
  SPOIL='s/, [^,]*$//' expect 1 "$exercise" "elements instead of"
  SPOIL='s/^[0-9]* Data/2 Data/' expect 1 "$exercise" "Data were expected"
  ORIGIN='' expect 1 "$exercise" "no Data has an origin"
done
FROM=1 SPOIL='' expect 0 step2/exercise1 "The trace is right."
FROM=1 SPOIL='' expect 1 step3/exercise2 "begins without and ends with an origin"

# Prints numbers, each one higher. When `updated` exists, it prints TIME behind them. SPOIL is a sed command for the second of
# these lines.
cat >"$folder/application" <<'END'
#!/usr/bin/env bash
lines=0
for ((number = 1; ; ++number)); do
  line="read $number"
  if [[ -e ${0%/*}/../updated ]]; then
    lines=$((lines + 1)) line+=$TIME
    ((lines != 2)) || line=$(sed -e "$SPOIL" <<<"$line")
  fi
  echo "$line"
done
END
export TIME=" at 12:30:05" SPOIL=
expect 0 step4/exercise1 "The trace is right."
MOULT_EXIT=3 expect 1 step4/exercise1 "not applied"
SPOIL='s/ at .*//' expect 1 step4/exercise1 "after lines with the time"
SPOIL='s/[0-9]* at/7000000 at/' expect 1 step4/exercise1 '"read 7000000 at 12:30:05" where the number'
SPOIL='s/^read/cannot read/' expect 1 step4/exercise1 "where the number"
TIME='' expect 1 step4/exercise1 "no line has the time"

# A web server that asks for a log-in when `updated` exists. From then on it runs the Perl code SPOIL for each request.
cat >"$folder/application" <<'END'
#!/usr/bin/perl
use IO::Socket::INET;
$/ = "\r\n";
$| = 1;
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
print "http://localhost:", $server->sockport, "\n";
our ($user, $seen, %shown) = ("", 0);
our %password = (ada => "lovelace");
our %text = ("/hello" => "Hello, NAME!", "/banana" => "Have a banana, NAME.", "/coconut" => "Mind the coconut, NAME!");
while (my $connection = $server->accept) {
  our ($method, $path) = split / /, <$connection>;
  my $length = 0;
  while ((my $line = <$connection>) ne "\r\n") { $length = $1 if $line =~ /^Content-Length: (\d+)/; }
  read $connection, my $form, $length;
  my $is_updated = -e $0 =~ s/[^\/]*$/..\/updated/r;
  our $is_asked = $is_updated && !$user;
  if ($is_updated) { eval $ENV{SPOIL}; die $@ if $@; }
  my ($status, $html) = (200, "");
  if ($method eq "POST") {
    my ($name, $given) = $form =~ /user=(\w+)&password=(\w+)/;
    my $is_right = $path ne "/login" || $password{$name} eq $given;
    $user = $path eq "/login" ? $name : "" if $is_right;
    $status = $is_right ? 303 : 403;
  } elsif ($is_asked) {
    $html = '<form action="/login">';
  } else {
    my $name = $user || "stranger";
    $html = sprintf '<p id="message">%s</p><b id="shown">%d</b><b id="seen">%d</b>', $text{$path} =~ s/NAME/$name/r,
      ++$shown{$path}, ++$seen;
  }
  print $connection "HTTP/1.1 $status Said\r\nConnection: close\r\n\r\n$html";
  close $connection;
}
END
export SPOIL=
# shellcheck disable=SC2016 # the dollar signs belong to Perl
spoil_web_server() {
  expect 0 step4/exercise2 "The trace is right."
  MOULT_EXIT=3 expect 1 step4/exercise2 "not applied"
  SPOIL='$is_asked = 0' expect 1 step4/exercise2 'where "/hello: log in" was expected'
  SPOIL='$password{ada} = "hopper"' expect 1 step4/exercise2 'password=hopper: 303" where'
  SPOIL='$password{ada} = "secret"' expect 1 step4/exercise2 'password=lovelace: 403" where'
  SPOIL='%shown = ()' expect 1 step4/exercise2 "the page was shown at least"
  SPOIL='$seen = 0' expect 1 step4/exercise2 "of the session, which must keep its count"
  SPOIL='$text{"/hello"} = "Hello, stranger!"' expect 1 step4/exercise2 'where "Hello, ada!" was expected'
  SPOIL='$text{"/coconut"} = "Mind the coconut!"' expect 1 step4/exercise2 'where "Mind the coconut, ada!" was expected'
  SPOIL='$is_asked = 0 if $seen > 4' expect 1 step4/exercise2 'where "/hello: log in" was expected'
}
spoil_web_server

rm "$folder/cli/moult"
expect 2 step1/exercise1 "cmake --build --preset dev --target step1_exercise1"
((failures == 0)) && echo "test.sh accepts good traces and rejects bad ones"
