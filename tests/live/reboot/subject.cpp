#include "subject.hpp"

#if defined(__clang__)
#define WHOLE __attribute__((noinline, used))
#else
#define WHOLE __attribute__((noipa, used))
#endif

namespace moult::reboot_test::SUBJECT {

/// Between the function that is left and the point.
WHOLE static void go_deeper(const char* function) {
  const Noted noted{"deeper"};
  pass_point(function);
  note("went deeper");
}

// The loop is written out in each, so that `turn` and `sum` are variables of the function itself.
#define COUNT(type, name)                                    \
  WHOLE type count_##name(int turns) {                       \
    const Noted noted{"counting"};                           \
    long sum = 0;                                            \
    for (int turn = 0; turn < turns && !is_over(); ++turn) { \
      go_deeper(#name);                                      \
      sum += turn;                                           \
    }                                                        \
    return result_of<type>(sum);                             \
  }
COUNT(int, int)
COUNT(long, long)
COUNT(double, double)
COUNT(long double, long_double)
COUNT(Small, small)
COUNT(Integers, integers)
COUNT(Large, large)
COUNT(std::string, string)
COUNT(std::vector<long>, vector)

WHOLE void count_nothing(int turns) {
  const Noted noted{"counting"};
  long sum = 0;
  for (int turn = 0; turn < turns && !is_over(); ++turn) {
    go_deeper("nothing");
    sum += turn;
  }
  keep(sum);
}

WHOLE static void pass_by_noexcept() noexcept {
  const Noted noted{"noexcept"};
  pass_point("noexcept");
}

WHOLE int count_behind_noexcept(int turns) {
  int passed = 0;
  for (; passed < turns && !is_over(); ++passed) pass_by_noexcept();
  return passed;
}

/// Everything that its callees must preserve is in use across their calls.
WHOLE std::string call_all(int turns) {
  std::string text;
  long a = turns, b = a * 3, c = b + 5, d = c * 7, e = d + 11, f = e * 13;
  double x = 0.5 + turns, y = x * 3;
  const auto add = [&](const std::string& part) { text += part + ";"; };
  add(std::to_string(count_int(turns)) + "," + std::to_string(count_long(turns)));
  a += b, b += c, c += d, d += e, e += f;
  add(std::to_string(count_double(turns)) + "," + std::to_string(static_cast<double>(count_long_double(turns))));
  const Small small = count_small(turns);
  const Integers integers = count_integers(turns);
  a ^= small.number, b ^= integers.first, c ^= integers.second, x += small.fraction;
  add(std::to_string(small.number) + "," + std::to_string(small.fraction) + "," + std::to_string(integers.second));
  const Large large = count_large(turns);
  for (const long number : large.numbers) d += number;
  add(count_string(turns));
  const std::vector<long> list = count_vector(turns);
  add(std::to_string(list.size()) + "," + std::to_string(list.back()));
  count_nothing(turns);
  add(std::to_string(a + b + c + d + e + f) + "," + std::to_string(x + y));
  return text;
}

WHOLE std::vector<int> fill(int size) {
  std::vector<int> list;
  for (int i = 0; i < size && !is_over(); ++i) {
    pass_point("fill");
    list.push_back(i);
  }
  return list;
}

WHOLE long Counter::count(int turns) const {
  const Noted noted{"counting"};
  long sum = 0;
  for (int turn = 0; turn < turns && !is_over(); ++turn) {
    go_deeper("method");
    sum += turn;
  }
  return sum * factor;
}

WHOLE int fill_into(std::vector<int>* list, int size) {
  int i = 0;
  for (; i < size && !is_over(); ++i) {
    pass_point("fill");
    list->push_back(i);
  }
  return i;
}

}  // namespace moult::reboot_test::SUBJECT
