#include "callers.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>

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

std::atomic<int> atomic_calls = 0;
[[gnu::noinline]] static int counted_atomically(int x) {
  atomic_calls.fetch_add(1);
  return x * 3 + 13;
}
[[gnu::noinline]] long keeps_over_atomic(int a, int b, int c, int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += counted_atomically(i) + a + b + c;
  return sum;
}

// So near that the jump between them has two bytes.
[[gnu::noinline]] static int jumped_to(int x) {
  ++calls;
  return x * 3 + 14;
}
[[gnu::noinline]] static int jumps_on(int x) {
  ++calls;
  return jumped_to(x + 1);
}
[[gnu::noinline]] long keeps_over_tail(int a, int b, int c, int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += jumps_on(i) + a + b + c;
  return sum;
}

[[gnu::noinline]] static void counted_before_result() { ++calls; }
[[gnu::noinline]] std::complex<double> keeps_result(double a, double b) {
  counted_before_result();
  return {a, b};
}

long shown = 0;
[[gnu::noinline]] static int counted_beside(int x) {
  ++calls;
  return x * 3 + 17;
}
[[gnu::noinline]] long keeps_variable(int n) {
  shown = n;
  const long result = counted_beside(n);
  return result + shown;
}
void show(long value) { shown = value; }

[[gnu::noinline]] static int price(int x) {
  static const int prices[] = {3, 1, 4, 1, 5, 9, 2, 6};
  return prices[x & 7];
}
[[gnu::noinline]] long sums_of_price(int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += price(factor) + price(7);
  return sum;
}

const char* volatile name = "moult";
[[gnu::noinline]] static int length(const char* text) { return static_cast<int>(std::strlen(text)) + 1; }
[[gnu::noinline]] long sums_of_length(int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += length(name);
  return sum;
}

[[gnu::noinline]] static int checked_triple(int x) {
  if (x < 0) std::abort();
  return x * 3 + 15;
}
[[gnu::noinline]] long sums_of_checked_triple(int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += checked_triple(factor) + checked_triple(7);
  return sum;
}

[[gnu::noinline]] Label label(int) {
  ++calls;
  return {{1, 2, 3, calls}};
}
[[gnu::noinline]] long calls_label(int n) { return label(n).text[0]; }

[[gnu::noinline]] bool always_true() {
  ++calls;
  return true;
}
[[gnu::noinline]] const char* always_text() {
  ++calls;
  return "text";
}
[[gnu::noinline]] Status always_busy() {
  ++calls;
  return Status::busy;
}
[[gnu::noinline]] long calls_always() {
  return (always_true() ? 1 : 0) + always_text()[0] + static_cast<int>(always_busy());
}

[[gnu::noinline]] static int promoted(const int* x) {
  const int now = *x;
  ++calls;
  return now * 3 + 16;
}
[[gnu::noinline]] long calls_promoted(int n) {
  int x = n + 1;
  return promoted(&x) + 1;
}

[[gnu::noinline]] void pass_on(int a, int b) { anything(a, b); }
[[gnu::noinline]] long calls_pass_on(int n) {
  pass_on(n, n + 1);
  return calls;
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

[[gnu::visibility("hidden")]] MOULT_UPDATABLE int hidden_seven() {
  ++calls;
  return 7;
}
[[gnu::noinline]] long calls_hidden_seven() { return hidden_seven() + 1; }

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

[[gnu::noinline]] static int charge(int amount) {
  calls += amount;
  return calls;
}
[[gnu::noinline]] int serves_charge(int amount) {
  try {
    if (amount == 100) throw amount;
    return charge(amount) + 1;  // no jump
  } catch (int) {
    return -1;
  }
}

[[gnu::noinline]] int charges_elsewhere(int amount) {
  try {
    if (amount == 100) throw amount;
  } catch (int) {
    return -1;
  }
  return charge_elsewhere(amount) + 1;
}

}  // namespace app
