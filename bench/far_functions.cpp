// Loaded far from the program: what an update's functions are.
#include <cstdint>

extern "C" std::uint64_t far_function(std::uint64_t x);
extern "C" [[gnu::noinline]] std::uint64_t far_function(std::uint64_t x) { return x * 3 + 1; }
