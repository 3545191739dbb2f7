// Compiled with -O2: g++ gives the two the same code.
#include <cstdio>

namespace lookup {
namespace {

[[gnu::noinline]] int left_twin(int x) { return std::printf("twin %d\n", x) * 3 + x; }
[[gnu::noinline]] int right_twin(int x) { return std::printf("twin %d\n", x) * 3 + x; }

}  // namespace

int call_left_twin(int x) { return left_twin(x) + 1; }
int call_right_twin(int x) { return right_twin(x) + 2; }

extern "C" {
[[gnu::noinline]] int lookup_first_name(int x) { return std::printf("named %d\n", x) + x; }
[[gnu::alias("lookup_first_name")]] int lookup_second_name(int x);
}

}  // namespace lookup
