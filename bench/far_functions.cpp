// Functions of a library that is loaded far from the program, as an update's are.
#include <cstdint>

extern "C" std::uint64_t far_function(std::uint64_t x);
extern "C" [[gnu::noinline]] std::uint64_t far_function(std::uint64_t x) { return x * 3 + 1; }
