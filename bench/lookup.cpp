// A look-up of a name that the program does not have: what it costs the program to say so. This program has some 7 MB
// of debug information.
#include <fstream>
#include <stdexcept>
#include <string>

#include "bench.hpp"
#include "moult/error.hpp"
#include "moult/relinking.hpp"

namespace bench {
namespace {

/// "VmRSS:" and the like of this process, in MB.
double megabytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  double kilobytes = 0;
  for (std::string word; status >> word;)
    if (word == field) status >> kilobytes;
  return kilobytes / 1024;
}

void look_up(const char* name) {
  try {
    static_cast<void>(moult::function<int(int)>(name));
  } catch (const moult::Error&) {
    return;
  }
  throw std::runtime_error(std::string(name) + " was found");
}

double milliseconds_of_lookup(const char* name) {
  std::vector<double> times;
  for (int round = 0; round < 15; ++round) times.push_back(seconds_of([name] { look_up(name); }) * 1e3);
  return median(times);
}

}  // namespace

Rows measure_lookup() {
  const char* const unknown = "no_such_function";
  const char* const of_a_variable = "milliseconds_of_local";
  [[maybe_unused]] volatile int milliseconds_of_local = 0;
  const double before = megabytes("VmRSS:");
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak is counted anew
  look_up(unknown);
  const double memory = megabytes("VmHWM:") - before;
  const double time = milliseconds_of_lookup(unknown);
  const double elsewhere = milliseconds_of_lookup(of_a_variable);
  return {{"look-up of a function that is not there", time, "ms", "20 ms", time / 20, 1.0},
          {"memory that it takes at most", memory, "MB", "10 MB", memory / 10, 1.0},
          {"the same, where a variable has that name", elsewhere, "ms", "20 ms", elsewhere / 20, 1.0}};
}

}  // namespace bench
