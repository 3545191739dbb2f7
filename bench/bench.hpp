// Measuring against a stated reference, in the same run.
//
// Machines are noisy, so a thing and its reference are measured in turns, many times, and the medians are compared. A
// row says the value, what it is compared with, the ratio and the limit that the ratio should keep.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bench {

struct Row {
  std::string name;
  double value = 0;
  std::string unit;
  std::string reference;  ///< what it is compared with, and its value
  double ratio = 0;       ///< value by the reference's value
  double limit = 0;       ///< the ratio falls short above this
};

using Rows = std::vector<Row>;

inline double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers[numbers.size() / 2];
}

struct Pair {
  double measured = 0;
  double reference = 0;
};

/// Measures both in turns, `rounds` times after one round that does not count; returns the medians.
template <class Measured, class Reference>
Pair interleave(int rounds, Measured&& measured, Reference&& reference) {
  std::vector<double> ones;
  std::vector<double> others;
  for (int round = 0; round <= rounds; ++round) {
    double one = measured();
    double other = reference();
    if (round == 0) continue;
    ones.push_back(one);
    others.push_back(other);
  }
  return {median(ones), median(others)};
}

inline double seconds_of(const std::function<void()>& act) {
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  act();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The paths of the benchmark's programs and the command, and of the results.
struct Programs {
  std::string folder;
  std::string command;
  std::string key_value_folder;
  std::string results_folder;
};

Rows measure_linked(const Programs& programs);
Rows measure_calls(const Programs& programs);
Rows measure_pause();
Rows measure_many_functions();
Rows measure_pools();
Rows measure_conversion();
Rows measure_lazy();
Rows measure_static_points();
Rows measure_return_barrier();
Rows measure_gate();
Rows measure_lookup();
Rows measure_command(const Programs& programs);
/// Writes a table and a plot beside the results, too.
Rows measure_key_value_server(const Programs& programs);

}  // namespace bench
