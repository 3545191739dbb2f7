#!/usr/bin/env bash
# What does not fit by its types does not compile, and the compiler says so in one line, with both types. What fits needs
# no types that braces stand for. COMPILER and INCLUDE are the build's.
set -uo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# What all cases have, compiled once.
cat >"$scratch/common.hpp" <<EOF
#include "moult/moult.hpp"
struct Old : moult::Updatable<Old> { int number = 0; int twice(int) const; };
struct New : moult::Updatable<New> { int number = 0; int twice(long) const; };
struct Moved : moult::Updatable<Moved> { int number = 0; Moved() = default; Moved(Moved&&) noexcept(false); };
int once(int);
int calm(int) noexcept;
int other(int);
double real(double);
void work(int);
EOF
"$COMPILER" -std=c++20 -I"$INCLUDE" -x c++-header "$scratch/common.hpp" -o "$scratch/common.hpp.gch" || exit 1

compile() { # CODE: the compiler's words
  echo "void use(moult::ThreadId thread) { (void)thread; $1 }" >"$scratch/case.cpp"
  "$COMPILER" -std=c++20 -fsyntax-only -I"$INCLUDE" -include "$scratch/common.hpp" "$scratch/case.cpp" 2>&1
}

refuses() { # CODE WORDS...: with one error, whose line or the next has each of the words
  local said errors
  said=$(compile "$1") && { echo "FAILED: compiled: $1"; failures=$((failures + 1)); return; }
  errors=$(grep -cE '(^|: )(fatal )?error: ' <<<"$said")
  for word in "${@:2}"; do
    grep -A3 -E 'error: ' <<<"$said" | grep -qF -- "$word" && continue
    printf 'FAILED: %s\nnot said: %s\n%s\n' "$1" "$word" "$said"
    failures=$((failures + 1))
  done
  [[ $errors == 1 ]] || { printf 'FAILED: %s errors: %s\n%s\n' "$errors" "$1" "$said"; failures=$((failures + 1)); }
}

accepts() { # CODE
  local said
  said=$(compile "$1") || { printf 'FAILED: does not compile: %s\n%s\n' "$1" "$said"; failures=$((failures + 1)); }
}

same="replaced by one of the same type"
refuses 'moult::redefine_function(once, real);' "$same" 'int (*)(int)' 'double (*)(double)'
refuses 'moult::redefine_function(&Old::twice, &New::twice);' "$same" '(int) const' '(long'
refuses 'moult::redefine_function(moult::function<int(int)>("f"), real);' "$same" 'int (*)(int)' 'double (*)(double)'
refuses 'moult::Redefinition(once, real);' "$same" 'int (*)(int)' 'double (*)(double)'
refuses 'std::make_unique<moult::SafeRedefineUpdate>("a", once, real);' "$same" 'int (*)(int)' 'double (*)(double)'
refuses 'moult::redefine_function(once, [](long) { return 1; });' "$same" 'int (*)(int)' 'int (*)(long'
refuses 'moult::redefine_function(calm, other);' 'the new version of a noexcept function must be noexcept'

arguments="cannot be called with these arguments"
refuses 'moult::Thread("worker", work, "one");' "$arguments" 'void (*)(int)' 'const char'
refuses 'moult::Thread("worker", work);' "$arguments" 'void (*)(int)'
refuses 'std::make_unique<moult::ThreadRebootUpdate>("worker", thread, work, "one");' "$arguments" 'void (*)(int)'
refuses 'moult::switch_main(thread, work, 1, 2);' "$arguments" 'void (*)(int)'

refuses 'moult::start_eager_update<Old, Moved>([](const Old&, Moved&) {});' 'New(New&&) noexcept = default;'

accepts 'moult::redefine_class<Old, New>({.also = {{once, other}}, .unmatched = moult::UnmatchedMembers::kept});'
accepts 'moult::start_eager_update<Old, New>([](const Old&) { return New(); }, {.rebind = moult::Rebind::yes});'
accepts 'moult::EagerConversionUpdate<Old, New> update("a", [](const Old&) { return New(); }, {.rebind = moult::Rebind::no});'
accepts 'moult::setup_wait_static_points({.names = {"round"}, .threads = {thread}});'
accepts 'moult::setup_wait_static_points({{"round"}});'
accepts 'moult::SafeRedefineUpdate update("a", {{once, other}, {calm, calm}});'
exit $((failures > 0))
