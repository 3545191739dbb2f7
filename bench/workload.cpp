// A call-heavy and an allocation-heavy loop. Built twice: as it is, and linked with moult with its listener running.
//   workload calls|allocations   prints nanoseconds a turn
//   workload idle                prints its resident memory in KiB
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#ifdef WITH_MOULT
#include "moult/moult.hpp"
#endif

namespace {

[[gnu::noinline]] std::uint64_t step(std::uint64_t x) { return x * 6364136223846793005u + 1442695040888963407u; }

std::uint64_t calls(int turns) {
  std::uint64_t x = 1;
  for (int i = 0; i < turns; ++i) x = step(x);
  return x;
}

std::uint64_t allocations(int turns) {
  std::unique_ptr<std::uint64_t[]> kept[64];
  std::uint64_t sum = 0;
  for (int i = 0; i < turns; ++i) {
    std::size_t slot = static_cast<std::size_t>(i) % 64;
    kept[slot] = std::make_unique<std::uint64_t[]>(1 + slot);
    sum += reinterpret_cast<std::uintptr_t>(kept[slot].get()) & 1;
  }
  return sum;
}

int print_resident() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::printf("%s\n", line.c_str() + std::strlen("VmRSS:")) < 0;
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string what = argc > 1 ? argv[1] : "";
#ifdef WITH_MOULT
  moult::Listener listener;
#endif
  if (what == "idle") {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return print_resident();
  }
  constexpr int turns = 20'000'000;
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  volatile std::uint64_t result = what == "calls" ? calls(turns * 5) : allocations(turns);
  (void)result;
  std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
  std::printf("%f\n", spent.count() / turns);
}
