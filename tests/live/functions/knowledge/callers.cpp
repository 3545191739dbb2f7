#include "callers.hpp"

namespace app {

#ifdef __clang__
const bool by_clang = true;
#else
const bool by_clang = false;
#endif
int calls = 0;
volatile int factor = 3;
int offset = 1;
long (*volatile anything)(int, int) = nullptr;

[[gnu::noinline]] static int counted(int x) {
  ++calls;
  return x * 3 + 1;
}
[[gnu::noinline]] long keeps_registers(int a, int b, int c, int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += counted(i) + a + b + c;
  return sum;
}

[[gnu::noinline]] static int counted_alone(int x) {
  ++calls;
  return x * 3 + 2;
}
[[gnu::noinline]] long keeps_nothing(int n) {
  if (n < 0) anything(n, n);  // needs an aligned stack
  return counted_alone(n) + 1;
}

[[gnu::noinline]] static int counted_unaligned(int x) {
  ++calls;
  return x * 3 + 12;
}
[[gnu::noinline]] long calls_unaligned(int n) { return counted_unaligned(n) + 1; }

[[gnu::noinline]] static int innermost(int x) {
  ++calls;
  return x * 3 + 3;
}
[[gnu::noinline]] static int middle(int x) { return innermost(x) + 1; }
[[gnu::noinline]] long keeps_over_two(int a, int b, int c, int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += middle(i) + a + b + c;
  return sum;
}

int marked(int x) {
  ++calls;
  return x * 3 + 4;
}
[[gnu::noinline]] long calls_marked(int a, int b, int c, int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += marked(i) + a + b + c;
  return sum;
}

[[gnu::noinline]] static int noisy(int x) {
  if (anything != nullptr) anything(x, x);
  return x * 3 + 5;
}
[[gnu::noinline]] long calls_noisy(int a, int b, int c, int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += noisy(i) + a + b + c;
  return sum;
}

[[gnu::noinline]] static void checked(int a, int b) { calls += a < b ? 1 : 2; }
[[gnu::noinline]] long passes_on(int a, int b) {
  checked(a, b);
  return anything(a, b);
}

[[gnu::noinline]] static int triple(int x) { return x * 3 + 6; }
[[gnu::noinline]] long sums_of_triple(int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += triple(factor) + triple(7);
  return sum;
}

[[gnu::noinline]] static int base(int x) { return x * 3 + offset; }
[[gnu::noinline]] long sums_of_base(int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += base(factor) + base(7);
  return sum;
}

int marked_triple(int x) { return x * 3 + 7; }
[[gnu::noinline]] long sums_of_marked_triple(int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += marked_triple(7);
  return sum;
}

[[gnu::noinline]] static int second(int, int x) {
  ++calls;
  return x * 3 + 8;
}
[[gnu::noinline]] long calls_second(int n) { return second(calls, n) + 1; }

[[gnu::noinline]] int shared_second(int, int x) {
  ++calls;
  return x * 3 + 9;
}
[[gnu::noinline]] long calls_shared_second(int n) { return shared_second(calls, n) + 1; }

[[gnu::noinline]] static int always_seven() {
  ++calls;
  return 7;
}
[[gnu::noinline]] long calls_always_seven() { return always_seven() + 1; }

[[gnu::noinline]] static int itself(int x) {
  ++calls;
  return x;
}
[[gnu::noinline]] int calls_itself(int n) { return itself(n) + 1; }

[[gnu::noinline]] static int reads_both(int x, int y) {
  ++calls;
  return x * 3 + y;
}
[[gnu::noinline]] long calls_reads_both(int n) {
  if (n < 0) anything(n, n);
  return reads_both(calls, n) + 1;
}

}  // namespace app
