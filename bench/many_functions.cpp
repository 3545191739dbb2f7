// Ten thousand functions redefined in one update.
#include <array>
#include <stdexcept>
#include <utility>

#include "bench.hpp"
#include "moult/manager.hpp"
#include "moult/updates.hpp"

namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

constexpr int function_count = FUNCTION_COUNT;

template <int N>
MOULT_UPDATABLE int numbered(int x) {
  return x + N;
}
template <int N>
MOULT_UPDATABLE int numbered_replacement(int x) {
  return x - N;
}

struct Pair {
  int (*old_function)(int);
  int (*replacement)(int);
};

/// Data instead of code that fills a list: a function with ten thousand calls takes minutes to compile.
template <int... N>
constexpr std::array<Pair, sizeof...(N)> pairs_of(std::integer_sequence<int, N...>) {
  return {{{&numbered<N>, &numbered_replacement<N>}...}};
}
constinit std::array<Pair, function_count> pairs = pairs_of(std::make_integer_sequence<int, function_count>());

std::vector<moult::Redefinition> redefinitions() {
  std::vector<moult::Redefinition> list;
  for (const Pair& pair : pairs) list.emplace_back(pair.old_function, pair.replacement);
  return list;
}

}  // namespace subject

namespace bench {
using subject::numbered;
using subject::redefinitions;

Rows measure_many_functions() {
  moult::Manager manager("many");
  moult::UpdateHandle handle = manager.add_update(std::make_unique<moult::SafeRedefineUpdate>("many", redefinitions()));
  double whole = seconds_of([&] { manager.apply_next_update(); }) * 1e3;
  moult::UpdateReport report = handle.report();
  if (report.state != moult::UpdateState::applied) throw std::runtime_error("update not applied: " + report.reason);
  if (numbered<77>(100) != 23) throw std::runtime_error("a redefined function runs its old version");
  double pause = std::chrono::duration<double, std::milli>(report.pause).count();
  double before = whole - pause;
  return {{"pause, 10,000 functions redefined in one update", pause, "ms", "10 ms", pause / 10.0, 1.0},
          {"what is done before that pause", before, "ms", "1000 ms", before / 1000.0, 1.0}};
}

}  // namespace bench
