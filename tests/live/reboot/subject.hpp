// Functions to be left in the middle, compiled by several compilers and at several levels: SUBJECT is their namespace.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace moult::reboot_test {

/// What the functions call in the middle of their work; defined by the test. `function` is the one that is left there.
void pass_point(const char* function);
void note(const char* text);
void keep(long number);
bool is_over();

struct Noted {
  const char* text;
  ~Noted() { note(text); }
};

struct Small {  // two registers, of two kinds
  long number;
  double fraction;
};
struct Integers {  // two general registers
  long first;
  long second;
};
struct Large {
  std::array<long, 9> numbers;
};

/// One of each kind of result, for `function<R>` below; `turns` rounds of a loop, with a point in each.
template <class R>
R result_of(long number);
template <>
inline int result_of<int>(long number) {
  return static_cast<int>(number);
}
template <>
inline long result_of<long>(long number) {
  return number;
}
template <>
inline double result_of<double>(long number) {
  return static_cast<double>(number) / 4;
}
template <>
inline long double result_of<long double>(long number) {
  return static_cast<long double>(number) / 8;
}
template <>
inline Small result_of<Small>(long number) {
  return {number, static_cast<double>(number) / 2};
}
template <>
inline Integers result_of<Integers>(long number) {
  return {number, -number};
}
template <>
inline Large result_of<Large>(long number) {
  return {{number, number + 1, number + 2, number + 3, number + 4, number + 5, number + 6, number + 7, number + 8}};
}
template <>
inline std::string result_of<std::string>(long number) {
  return "the number " + std::to_string(number);
}
template <>
inline std::vector<long> result_of<std::vector<long>>(long number) {
  return {number, number + 1};
}

#define MOULT_SUBJECT(space)                                                                                           \
  namespace space {                                                                                                    \
  int count_int(int turns);                                                                                            \
  long count_long(int turns);                                                                                          \
  double count_double(int turns);                                                                                      \
  long double count_long_double(int turns);                                                                            \
  Small count_small(int turns);                                                                                        \
  Integers count_integers(int turns);                                                                                  \
  Large count_large(int turns);                                                                                        \
  std::string count_string(int turns);                                                                                 \
  std::vector<long> count_vector(int turns);                                                                           \
  void count_nothing(int turns);                                                                                       \
  /* Until it is over, the points in a function that is noexcept. */                                                   \
  int count_behind_noexcept(int turns);                                                                                \
  /* Calls the others, and uses many registers meanwhile. */                                                           \
  std::string call_all(int turns);                                                                                     \
  /* The numbers from 0 to `size`, one a round; in clang's optimised code no debug information says where `list` is in \
   * fill. */                                                                                                          \
  std::vector<int> fill(int size);                                                                                     \
  struct Counter {                                                                                                     \
    long count(int turns) const;                                                                                       \
    long factor;                                                                                                       \
  };                                                                                                                   \
  int fill_into(std::vector<int>* list, int size);                                                                     \
  }
MOULT_SUBJECT(gcc_plain)
MOULT_SUBJECT(gcc_optimised)
MOULT_SUBJECT(clang_plain)
MOULT_SUBJECT(clang_optimised)
#undef MOULT_SUBJECT

}  // namespace moult::reboot_test
