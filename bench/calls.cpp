// The cost of a call of a redefined function, against a function that is only a jump to the new version. The new
// version lies beside the old one, or in a shared library beyond the reach of a direct jump.
#include <dlfcn.h>

#include <cstdint>
#include <stdexcept>

#include "bench.hpp"
#include "moult/relinking.hpp"

namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

MOULT_UPDATABLE std::uint64_t plain(std::uint64_t x) { return x * 3 + 1; }
MOULT_UPDATABLE std::uint64_t redefined(std::uint64_t x) { return x * 5 + 1; }
MOULT_UPDATABLE std::uint64_t redefined_far(std::uint64_t x) { return x * 5 + 1; }
MOULT_UPDATABLE std::uint64_t replacement(std::uint64_t x) { return x * 3 + 1; }

using Function = std::uint64_t (*)(std::uint64_t);

extern "C" std::uint64_t bench_tail_jump(std::uint64_t x);
extern "C" std::uint64_t bench_far_tail_jump(std::uint64_t x);
extern "C" {
[[gnu::used]] Function bench_far_target;
}
extern "C" MOULT_UPDATABLE std::uint64_t bench_jump_target(std::uint64_t x) { return x * 3 + 1; }
asm(R"(
  .text
  .p2align 4
  .type bench_tail_jump, @function
bench_tail_jump:
  jmp bench_jump_target
  .size bench_tail_jump, .-bench_tail_jump
  .p2align 4
  .type bench_far_tail_jump, @function
bench_far_tail_jump:
  jmp *bench_far_target(%rip)
  .size bench_far_tail_jump, .-bench_far_tail_jump
)");

double nanoseconds_a_call(Function function) {
  constexpr int calls = 2'000'000;
  std::uint64_t x = 1;
  double seconds = bench::seconds_of([&] {
    for (int i = 0; i < calls; ++i) x = function(x);
  });
  asm volatile("" ::"r"(x));
  return seconds / calls * 1e9;
}

}  // namespace subject

namespace bench {
using subject::bench_far_tail_jump;
using subject::bench_far_target;
using subject::bench_tail_jump;
using subject::Function;
using subject::nanoseconds_a_call;
using subject::plain;
using subject::redefined;
using subject::redefined_far;
using subject::replacement;

Rows measure_calls(const Programs& programs) {
  void* library = dlopen((programs.folder + "/far_functions.so").c_str(), RTLD_NOW);
  bench_far_target = library == nullptr ? nullptr : reinterpret_cast<Function>(dlsym(library, "far_function"));
  if (bench_far_target == nullptr) throw std::runtime_error("far_functions.so cannot be loaded");
  moult::redefine_function(redefined, replacement);
  moult::redefine_function(redefined_far, bench_far_target);
  auto cost_of = [](Function function) { return [function] { return nanoseconds_a_call(function); }; };
  std::string a_plain_call =
      " ns (a plain call: " +
      std::to_string(median({nanoseconds_a_call(plain), nanoseconds_a_call(plain), nanoseconds_a_call(plain)})) +
      " ns)";
  Rows rows;
  Pair near = interleave(41, cost_of(redefined), cost_of(bench_tail_jump));
  rows.push_back({"call of a redefined function, new version nearby", near.measured, "ns",
                  "a hand-written tail jump to it, " + std::to_string(near.reference) + a_plain_call,
                  near.measured / near.reference, 1.02});
  Pair far = interleave(41, cost_of(redefined_far), cost_of(bench_far_tail_jump));
  rows.push_back({"call of a redefined function, new version far", far.measured, "ns",
                  "a hand-written tail jump to it, " + std::to_string(far.reference) + a_plain_call,
                  far.measured / far.reference, 1.02});
  return rows;
}

}  // namespace bench
