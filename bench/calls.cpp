// What a call of a redefined function costs, against a function that is nothing but a jump to another one.
#include <cstdint>

#include "bench.hpp"
#include "moult/relinking.hpp"

namespace {

MOULT_UPDATABLE std::uint64_t plain(std::uint64_t x) { return x * 3 + 1; }
MOULT_UPDATABLE std::uint64_t redefined(std::uint64_t x) { return x * 5 + 1; }
MOULT_UPDATABLE std::uint64_t fresh(std::uint64_t x) { return x * 3 + 1; }

extern "C" std::uint64_t bench_tail_jump(std::uint64_t x);
extern "C" MOULT_UPDATABLE std::uint64_t bench_jump_target(std::uint64_t x) { return x * 3 + 1; }
asm(R"(
  .text
  .p2align 4
  .type bench_tail_jump, @function
bench_tail_jump:
  jmp bench_jump_target
  .size bench_tail_jump, .-bench_tail_jump
)");

double nanoseconds_a_call(std::uint64_t (*function)(std::uint64_t)) {
  constexpr int calls = 2'000'000;
  std::uint64_t x = 1;
  double seconds = bench::seconds_of([&] {
    for (int i = 0; i < calls; ++i) x = function(x);
  });
  asm volatile("" ::"r"(x));
  return seconds / calls * 1e9;
}

}  // namespace

namespace bench {

Rows measure_calls() {
  moult::redefine_function(redefined, fresh);
  auto by_moult = [] { return nanoseconds_a_call(redefined); };
  Pair jump = interleave(41, by_moult, [] { return nanoseconds_a_call(bench_tail_jump); });
  Pair direct = interleave(41, by_moult, [] { return nanoseconds_a_call(plain); });
  return {{"call of a redefined function", jump.measured, "ns",
           "a hand-written tail jump, " + std::to_string(jump.reference) +
               " ns (a plain call: " + std::to_string(direct.reference) + " ns)",
           jump.measured / jump.reference, 1.02}};
}

}  // namespace bench
