// Compiled with -O2: g++ merges the two.
#include <cstdio>

namespace lookup {
namespace {

[[gnu::noinline]] int left_twin(int x) { return std::printf("twin %d\n", x) * 3 + x; }
[[gnu::noinline]] int right_twin(int x) { return std::printf("twin %d\n", x) * 3 + x; }

}  // namespace

// Both can be called from other files, so that each keeps a symbol. Direct calls go to one of them.
int left_double(int x) {
  int sum = 0;
  for (int i = 0; i < x; ++i) {
    sum += std::printf("double %d\n", i) * x;
    sum ^= std::printf("double %d %d\n", i, sum);
    sum += std::printf("double %d %d %d\n", i, sum, x) % 7;
    sum ^= std::printf("double %d %d\n", sum, i);
    if (sum > 1000) sum -= std::printf("double %d\n", sum);
    sum += std::printf("double %d %d %d\n", x, sum, i) % 5;
    sum ^= std::printf("double %d %d\n", x, sum);
  }
  return sum;
}
int right_double(int x) {
  int sum = 0;
  for (int i = 0; i < x; ++i) {
    sum += std::printf("double %d\n", i) * x;
    sum ^= std::printf("double %d %d\n", i, sum);
    sum += std::printf("double %d %d %d\n", i, sum, x) % 7;
    sum ^= std::printf("double %d %d\n", sum, i);
    if (sum > 1000) sum -= std::printf("double %d\n", sum);
    sum += std::printf("double %d %d %d\n", x, sum, i) % 5;
    sum ^= std::printf("double %d %d\n", x, sum);
  }
  return sum;
}
int call_right_double(int x) { return right_double(x); }

int call_left_twin(int x) { return left_twin(x) + 1; }
int call_right_twin(int x) { return right_twin(x) + 2; }

extern "C" {
[[gnu::noinline]] int lookup_first_name(int x) { return std::printf("named %d\n", x) + x; }
[[gnu::alias("lookup_first_name")]] int lookup_second_name(int x);

// Like the C library: the definition has a private name, and callers use an alias.
int lookup_labelled(int x) asm("lookup_labelled_private");
[[gnu::noinline, gnu::visibility("hidden")]] int lookup_labelled(int x) { return std::printf("labelled %d\n", x) - x; }
[[gnu::alias("lookup_labelled_private")]] int lookup_labelled_alias(int x) asm("lookup_labelled");
}

}  // namespace lookup
