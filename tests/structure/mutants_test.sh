#!/usr/bin/env bash
# tools/mutants --check must pass a good tree, and name the record and the reason of each kind of bad one.
#   mutants_test.sh MUTANTS
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree
failures=0
mkdir -p "$tree"/{src/base,tools/mutants.d,tests/unit/{base,code},tests/live/{returns,control}}
cp "$1" "$tree/tools/mutants"

echo 'int two() { return 1 + 1; }' >"$tree/src/base/a.cpp"
cat >"$tree/tests/CMakeLists.txt" <<'END'
set(tests_with_their_own_program code/alone_test)
END
cat >"$tree/tests/live/control/CMakeLists.txt" <<'END'
file(GLOB scripts CONFIGURE_DEPENDS *_test.sh)
  add_test(NAME live/control_${name} COMMAND bash ${script})
END
touch "$tree/tests/live/control/apply_test.sh"
cat >"$tree/tests/unit/base/a_test.cpp" <<'END'
TEST(Sum, IsTwo) {
TEST_F(LongName,
       GoesOverTwoLines) {
INSTANTIATE_TEST_SUITE_P(Kinds, Each, testing::Values(1, 2));
TEST_P(Each, IsTwo) {
MOULT_FOR_EACH_BUILD(Build);
TEST_P(Build, IsTwo) {
END
echo 'TEST(Alone, IsTwo) {' >"$tree/tests/unit/code/alone_test.cpp"
echo 'TEST(Barrier, IsTwo) {' >"$tree/tests/live/returns/barrier_test.cpp"

# record NAME TARGET TEST [OLD]: the only record, a good one unless said otherwise.
record() {
  printf 'mutant %s\nrule A sum is exact.\nfile src/base/a.cpp\ntarget %s\ntest %s\n-%s\n+return 1 + 2;\n' \
    "$1" "$2" "$3" "${4-return 1 + 1;}" >"$tree/tools/mutants.d/some.mutants"
}

check() { (cd / && "$tree/tools/mutants" --check); }

passed() {
  local output
  record good "$@"
  if ! output=$(check 2>&1) || [[ -n $output ]]; then
    echo "FAILED: refused $*: $output" >&2
    failures=$((failures + 1))
  fi
}

# refused WORDS TARGET TEST [OLD]: the check fails, with these words about the record.
refused() {
  local words=$1 output
  shift
  record bad "$@"
  if output=$(check 2>&1); then
    echo "FAILED: accepted $*" >&2
    failures=$((failures + 1))
  elif [[ $output != "bad: "*"$words"* ]]; then
    echo "FAILED: $* was refused as: $output" >&2
    failures=$((failures + 1))
  fi
}

passed base_tests base/Sum.IsTwo
passed base_tests base/LongName.GoesOverTwoLines
passed base_tests 'base/Kinds/Each.IsTwo/.*'
passed base_tests base/Kinds/Each.IsTwo/1
passed base_tests 'base/Build.IsTwo/.*'
passed code_alone_test code/Alone.IsTwo
passed 'live_barrier_test_2 live_update' live/O2/Barrier.IsTwo
passed live_control_target live/control_apply_test
passed base_tests base/Sum.IsTwo '  return 1+1 ;'

gone='its test is not in the sources'
refused "$gone" base_tests base/Sum.IsThree
refused "$gone" base_tests base/Total.IsTwo
refused "$gone" base_tests code/Sum.IsTwo
refused "$gone" base_tests base/Sum.IsTwo/1
refused "$gone" base_tests base/Each.IsTwo
refused "$gone" base_tests base/Kinds/Each.IsTwo
refused "$gone" base_tests base/Build.IsTwo
refused "$gone" live_control_target live/control_rollback_test
refused 'lacks the program of its test: base_tests' code_tests base/Sum.IsTwo
refused 'lacks the program of its test: code_alone_test' code_tests code/Alone.IsTwo
refused 'lacks the program of its test: live_barrier_test_2' live_barrier_test_0 live/O2/Barrier.IsTwo
refused 'its old code is not there' base_tests base/Sum.IsTwo 'return 3;'
refused 'its old code is there more than once' base_tests base/Sum.IsTwo 1
rm "$tree/src/base/a.cpp"
refused 'no such file' base_tests base/Sum.IsTwo
exit "$((failures != 0))"
