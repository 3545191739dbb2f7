#!/usr/bin/env bash
# New variables that code initialises: once, by the edit that is the first to be applied whole, and for later edits, too.
. "$(dirname "$0")/lib.sh"

in_tree g++-12 -std=c++20 -g -O2
cat >app.cpp <<'END'
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>

static int begun = 0;
static std::string start(const char* text) {
  ++begun;
  if (std::getenv("MOULT_NOT_SET") != nullptr) throw std::runtime_error("set");
  return text;
}
[[gnu::noinline]] std::string describe(int number) { return std::to_string(number); }

void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%s", describe(std::atoi(question)).c_str());
}
void keep() { std::puts(start("kept").c_str()); }
END
mkdir saved && cp ./*.cpp saved
touch -d '1 hour ago' ./*.cpp
build old
start old
[[ $(ask old 10) == 10 ]] || fail "the program is not as it was written"

# An initialiser that throws: nothing of the edit stays.
sed -i 's/^\[\[gnu::noinline\]\] std/static std::map<int, int> seen{{1, begun}};\nstatic const std::string title = start("title ");\n&/' app.cpp
sed -i 's/return std::to_string(number);/return title + std::to_string(++seen[number]) + " " + std::to_string(begun);/' app.cpp
cp app.cpp good.txt
sed -i 's/!= nullptr) throw/== nullptr) throw/' app.cpp
expect 0 "describe" "$MOULT" build old/app -o thrown.so
expect 1 "title could not be initialised: .*set" "$MOULT" apply "$pid" thrown.so
[[ $(ask old 10) == 10 ]] || fail "the edit has failed, and its code is in force"

# The same with one that does not: the variable that had begun goes on, and the other one begins.
cp good.txt app.cpp
expect 0 describe "$MOULT" build old/app -o first.so
expect 0 "applied" "$MOULT" apply "$pid" first.so
[[ $(ask old 10 10) == $'title 1 2\ntitle 2 2' ]] || fail "the new variables are not initialised: $(ask old 10)"

# A later edit, a rollback and an edit again do not initialise them once more.
sed -i 's/return title +/return "now " + title +/' app.cpp
expect 0 describe "$MOULT" build old/app -o second.so
expect 0 "applied" "$MOULT" apply "$pid" second.so
[[ $(ask old 10) == "now title 3 2" ]] || fail "a later edit does not go on with the variables: $(ask old 10)"
expect 0 "rolled back" "$MOULT" rollback "$pid" --all
[[ $(ask old 10) == 10 ]] || fail "the rollback has left something"
expect 0 "applied" "$MOULT" apply "$pid" first.so
[[ $(ask old 10) == "title 4 2" ]] || fail "the variables have begun anew"

# What moult cannot initialise by itself is refused.
cp good.txt app.cpp
sed -i 's/^static const std::string title/struct Kept { static std::string name; };\nstd::string Kept::name = start("x");\n&/; s/return title +/return Kept::name + title +/' app.cpp
expect 3 "Kept::name.*a new variable that code initialises before main" "$MOULT" build old/app -o refused.so
cp good.txt app.cpp
sed -i 's/^static const std::string title/inline std::string shared = start("x");\n&/; s/return title +/return shared + title +/' app.cpp
expect 3 "shared.*a new variable that code initialises before main" "$MOULT" build old/app -o refused.so
