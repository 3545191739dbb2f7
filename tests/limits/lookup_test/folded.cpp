// Compiled with -O2: g++ merges the two.
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

// Like the C library: the definition has a private name, and callers use an alias.
int lookup_labelled(int x) asm("lookup_labelled_private");
[[gnu::noinline, gnu::visibility("hidden")]] int lookup_labelled(int x) { return std::printf("labelled %d\n", x) - x; }
[[gnu::alias("lookup_labelled_private")]] int lookup_labelled_alias(int x) asm("lookup_labelled");
}

}  // namespace lookup
