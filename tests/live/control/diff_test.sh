# moult diff: what the edits of a program's sources change in it. The program need not run.
. "$(dirname "$0")/lib.sh"

cd "$base"
cat >answer.cpp <<'END'
#include "shared.hpp"
#include <stdexcept>
int answer(int number) { return number * 42; }
static int hidden(int number) { return number - 5; }
int (*volatile kept)(int) = hidden;
int checked(int number) {
  if (number > 9) throw std::out_of_range("too many");
  return shared(number);
}
END
cat >main.cpp <<'END'
#include "shared.hpp"
#include <cstdio>
int answer(int);
int checked(int);
__attribute__((noinline)) void show(int number) { std::printf("the answer is %d\n", number); }
int main(int count, char**) {
  show(answer(count) + checked(count) + shared(count));
}
END
cat >shared.hpp <<'END'
#pragma once
__attribute__((noinline)) inline int shared(int number) { return number + 7; }
END

# A build, in $base/build, with the flags named, of main and answer; its commands are those of `c++ -c`.
build() { build_of "main answer" "$@"; }
build_of() {
  local names source objects=() separator='['
  read -ra names <<<"$1"
  shift
  mkdir -p build/deeper
  : >build/compile_commands.json
  for source in "${names[@]}"; do
    (cd build && "$compiler" "$@" -c ../$source.cpp -o $source.o)
    printf '%s{"directory":"%s","file":"../%s.cpp","command":"%s %s -c ../%s.cpp -o %s.o"}' "$separator" "$base/build" \
      $source "$compiler" "$*" $source $source >>build/compile_commands.json
    separator=,
    objects+=(build/$source.o)
  done
  echo ']' >>build/compile_commands.json
  "$compiler" "${objects[@]}" -o build/app
  # Sources are older than a program for sure.
  touch -d '1 hour ago' ./*.cpp ./*.hpp
}
restore() { cp saved/* . && touch -d '1 hour ago' ./*.cpp ./*.hpp; }

mkdir saved
cp answer.cpp main.cpp shared.hpp saved
for compiler in g++ clang++-14; do
  command -v $compiler >/dev/null || continue
  restore
  build -g -O2
  expect 0 "^no source of app was written after it; --source FILE compares one" "$MOULT" diff build/app
  expect 0 "^1 file compared with app: all 4 functions are the same$" "$MOULT" diff build/app --source answer.cpp
  expect 0 "^2 files compared with app: all [0-9]+ functions are the same$" \
    "$MOULT" diff build/app --source answer.cpp main.cpp

  # One function of one source.
  sed -i 's/42/43/' answer.cpp
  line=$'^changed  answer\(int\)  in answer.cpp\n'
  expect 0 "${line}1 file compared with app: 1 function changed; 3 functions are the same$" "$MOULT" diff build/app
  expect 0 'answer\(int\)  in answer.cpp: (at \+0x[0-9a-f]+: the code differs|it has [0-9]+ bytes instead of [0-9]+)' \
    "$MOULT" diff build/app -v
  item='"kind":"function","outcome":"changed","name":"answer\(int\)","symbol":"_Z6answeri","reason":'
  expect 0 '"source":"[^"]*/answer.cpp","same":3,"items":\[\{'"$item" "$MOULT" diff build/app --json

  # One that is new, one that is gone, and a text of another source.
  sed -i 's/^static int hidden.*//; s/= hidden;/= 0;/' answer.cpp
  echo 'int added(int number) { return number / 3; }' >>answer.cpp
  sed -i 's/the answer/the result/' main.cpp
  expect 0 "1 new, 1 gone, 1 variable changed; " "$MOULT" diff build/app
  expect 0 $'\nnote     answer.cpp: kept keeps the value that it has' "$MOULT" diff build/app
  expect 0 $'(^|\n)new      added\(int\)  in answer.cpp\n' "$MOULT" diff build/app
  expect 0 $'(^|\n)gone     hidden\(int\)  in answer.cpp\n' "$MOULT" diff build/app
  expect 0 "changed  kept  in answer.cpp \(variable\): its initial value differs; a running program keeps the value" \
    "$MOULT" diff build/app
  expect 0 $'(^|\n)changed  show\(int\)  in main.cpp\n' "$MOULT" diff build/app
  expect 0 $'\n1 file compared with app: 1 function changed; 2 functions are the same$' \
    "$MOULT" diff build/app --source main.cpp

  # What cannot be applied is said, and ends with 3.
  restore
  sed -i 's/^int (\*volatile kept).*/static long weight = 5;\nlong weighed(int number) { return weight += number; }/' answer.cpp
  build -g -O2
  sed -i 's/static long weight/static int weight/' answer.cpp
  expect 3 $'\nrefused  answer.cpp: weight: has 4 bytes instead of 8; ' "$MOULT" diff build/app
  expect 3 '"refusals":\["answer.cpp: weight: has 4 bytes instead of 8' "$MOULT" diff build/app --json
  restore
  build -g -O2

  # A comment changes nothing. A header counts for both of its sources; the program has its function once.
  restore
  echo '// that is all' >>answer.cpp
  expect 0 "^1 file compared with app: all 4 functions are the same$" "$MOULT" diff build/app
  restore
  sed -i 's/+ 7/+ 8/' shared.hpp
  expect 0 $'^changed  shared\(int\)  in [a-z]+.cpp\n2 files compared with app: 1 function changed; ' \
    "$MOULT" diff build/app
done

compiler=g++
# Sources of one name are told with their folders.
restore
mkdir -p deeper
mv main.cpp deeper/answer.cpp
sed -i 's/"shared.hpp"/"..\/shared.hpp"/' deeper/answer.cpp
build_of "answer deeper/answer" -g -O2
touch -d '1 hour ago' deeper/answer.cpp
restore && rm main.cpp
sed -i 's/42/43/' answer.cpp
sed -i 's/the answer/the result/' deeper/answer.cpp
expect 0 $'^changed  answer\(int\)  in answer.cpp\nchanged  show\(int\)  in deeper/answer.cpp\n2 files compared' \
  "$MOULT" diff build/app
rm -r deeper
restore
build -g -O2

# The compiler's errors, as it gives them.
restore
echo 'int broken( {' >>answer.cpp
expect 2 "answer.cpp:[0-9]+:[0-9]+: error: .*answer.cpp: does not compile with the flags of the program's build" \
  "$MOULT" diff build/app
expect 2 '"diagnostics":\[\{"severity":"error","file":"[^"]*/answer.cpp"' "$MOULT" diff build/app --json

# Another build.
restore
build -g -O0
sed -i 's/-O0/-O2/g' build/compile_commands.json
expect 3 "main.cpp: 3 of 3 functions differ from those in build/app: the flags, the compiler or the sources are probably" \
  "$MOULT" diff build/app --source answer.cpp
expect 3 "answer.cpp: 4 of 4 functions differ from those in build/app: the flags, the compiler or the sources" \
  "$MOULT" diff build/app --source answer.cpp main.cpp
build -g -O2
# Most functions of a source are edited; the other source shows that the flags are right.
sed -i 's/42/43/; s/- 5/- 6/; s/> 9/> 8/' answer.cpp
expect 0 "3 functions changed; 1 function is the same" "$MOULT" diff build/app
restore
sed -i 's/-O2/-O2 -flto/g' build/compile_commands.json
expect 3 "answer.cpp: is compiled with -flto.*build the program without it" \
  "$MOULT" diff build/app --source answer.cpp
build -O2
expect 3 "build/app: has no debug information.*build it with -g" "$MOULT" diff build/app
build -g -O2
strip --strip-unneeded --keep-section='.debug*' build/app
restore
expect 3 "build/app: has no (symbol table|debug information)" "$MOULT" diff build/app --source answer.cpp

build -g -O2
expect 2 "other.cpp: is no source of build/app by its debug information.*name one that" \
  "$MOULT" diff build/app --source other.cpp
expect 3 "answer.cpp: is no ELF file" "$MOULT" diff answer.cpp
expect 2 "PROGRAM: File does not exist: there-is-none" "$MOULT" diff there-is-none
expect 2 "PROGRAM is required" "$MOULT" diff
mkdir empty && cp build/app empty/
expect 2 "no compile_commands.json above .*/empty/app; make one" "$MOULT" diff empty/app
echo '[]' >empty/compile_commands.json
expect 2 "has none of the sources of empty/app; name the build folder of that program" "$MOULT" diff empty/app
expect 0 "all 4 functions are the same" "$MOULT" diff empty/app --build-dir build --source answer.cpp
echo 'no json' >empty/compile_commands.json
expect 2 "is no compilation database" "$MOULT" diff empty/app
head -c 3000 build/app >empty/app
expect 3 "empty/app: " "$MOULT" diff empty/app --build-dir build --source answer.cpp
expect 0 "Examples:" "$MOULT" diff --help
[[ -z $(find "$XDG_CACHE_HOME" -name 'moult-update-*') ]] || fail "a scratch folder is left"
