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

/// What the look-up adds to this process's memory at its peak, pages of mapped files included.
double megabytes_of_lookup(const char* name) {
  const double before = megabytes("VmRSS:");
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak is counted anew
  look_up(name);
  return megabytes("VmHWM:") - before;
}

void add_lookup(const std::string& what, const char* name, Rows& rows) {
  const double memory = megabytes_of_lookup(name);
  const double time = milliseconds_of_lookup(name);
  rows.push_back({"look-up of a function that is not there" + what, time, "ms", "20 ms", time / 20, 1.0});
  rows.push_back({"memory that it takes at most", memory, "MB", "10 MB", memory / 10, 1.0});
}

}  // namespace

Rows measure_lookup() {
  [[maybe_unused]] volatile int milliseconds_of_local = 0;
  Rows rows;
  add_lookup("", "no_such_function", rows);
  add_lookup(", but a variable is", "milliseconds_of_local", rows);
  add_lookup(", but methods are", "begin", rows);  // those of the standard library's containers
  return rows;
}

}  // namespace bench
