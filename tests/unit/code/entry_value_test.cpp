// Where functions with a result in memory keep the place for it, as this compiler makes them with and without
// optimisation, and as assembly may.
#include "code/entry_value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "symbols/program.hpp"
#include "threads/frame_walk.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

struct Large {
  std::array<long, 8> numbers{};
};

/// The result of the last call of `look`.
std::uint64_t found_value = 0;

/// Finds the place for the result of the calling function, and its content.
[[gnu::noinline]] void look(int round) {
  found_value = 0;
  if (round > 1000) throw std::runtime_error("never");
  const CodeAddress return_address{reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))};
  const std::optional<FunctionSymbol> function = Program::of_this_process().at(return_address);
  std::vector<CodeRange> ranges{function->range};
  ranges.insert(ranges.end(), function->fragments.begin(), function->fragments.end());
  const std::optional<ValuePlace> place = place_of_first_argument(ranges, return_address);
  if (!place) return;
  const std::unique_ptr<StoppedWorld> stopped =
      StoppedWorld::stop({.timeout = std::chrono::seconds(10), .keep_out = {}});
  walk_frames(*stopped, this_thread_id(), [&](const FrameState& state) {
    if (state.frame.pc != return_address) return true;
    if (place->in)
      found_value = state.registers[*place->in];
    else
      std::memcpy(&found_value,
                  reinterpret_cast<const void*>(state.cfa + static_cast<std::uint64_t>(place->cfa_offset)),
                  sizeof found_value);
    return false;
  });
}

#define MOULT_FIXTURES(level, attribute)                                                                   \
  [[gnu::noinline, attribute]] Large straight_##level(long first) {                                        \
    Large large;                                                                                           \
    large.numbers[0] = first;                                                                              \
    look(1);                                                                                               \
    large.numbers[1] = first + 1;                                                                          \
    return large;                                                                                          \
  }                                                                                                        \
  [[gnu::noinline, attribute]] Large looping_##level(int turns) {                                          \
    Large large;                                                                                           \
    for (int turn = 0; turn < turns; ++turn) {                                                             \
      if (turn % 3 == 2) large.numbers[0] += long{turn} * turns;                                           \
      look(turn);                                                                                          \
      large.numbers[static_cast<std::size_t>(turn) % 8] += turn;                                           \
    }                                                                                                      \
    return large;                                                                                          \
  }                                                                                                        \
  [[gnu::noinline, attribute]] Large many_values_##level(long a, long b, long c, long d, long e, long f) { \
    long g = a * b;                                                                                        \
    long h = c * d;                                                                                        \
    long i = e * f;                                                                                        \
    for (long turn = 0; turn < 3; ++turn) {                                                                \
      look(static_cast<int>(turn));                                                                        \
      g += a * turn + i;                                                                                   \
      h += b * turn + g;                                                                                   \
      i += c * turn + d + e + f;                                                                           \
    }                                                                                                      \
    return Large{{a, b, c, d, g, h, i, e + f}};                                                            \
  }                                                                                                        \
  [[gnu::noinline, attribute]] Large choosing_##level(int which) {                                         \
    Large large;                                                                                           \
    switch (which) {                                                                                       \
      case 0:                                                                                              \
        look(0);                                                                                           \
        large.numbers[0] = 1;                                                                              \
        break;                                                                                             \
      case 1:                                                                                              \
        look(10);                                                                                          \
        large.numbers[1] = 2;                                                                              \
        break;                                                                                             \
      case 2:                                                                                              \
        look(20);                                                                                          \
        large.numbers[2] = 4;                                                                              \
        break;                                                                                             \
      case 3:                                                                                              \
        look(30);                                                                                          \
        large.numbers[3] = 8;                                                                              \
        break;                                                                                             \
      case 4:                                                                                              \
        look(40);                                                                                          \
        large.numbers[4] = 16;                                                                             \
        break;                                                                                             \
      case 5:                                                                                              \
        look(50);                                                                                          \
        large.numbers[5] = 32;                                                                             \
        break;                                                                                             \
      default:                                                                                             \
        look(60);                                                                                          \
        large.numbers[6] = 64;                                                                             \
        break;                                                                                             \
    }                                                                                                      \
    return large;                                                                                          \
  }                                                                                                        \
  [[gnu::noinline, attribute]] Large handling_##level(int number) {                                        \
    Large large;                                                                                           \
    try {                                                                                                  \
      if (number > 0) throw number;                                                                        \
    } catch (int thrown) {                                                                                 \
      large.numbers[0] = thrown;                                                                           \
    }                                                                                                      \
    look(2);                                                                                               \
    return large;                                                                                          \
  }

#if defined(__clang__)
MOULT_FIXTURES(optimised, gnu::noinline)
MOULT_FIXTURES(plain, clang::optnone)
#else
MOULT_FIXTURES(optimised, gnu::noipa)
MOULT_FIXTURES(plain, gnu::optimize("O0"))
#endif

/// A place that the caller chooses, known by its address.
template <class Call>
void expect_found(Call call) {
  const Large large = call();
  EXPECT_EQ(found_value, reinterpret_cast<std::uint64_t>(&large));
}

TEST(EntryValue, ThePlaceForAResultIsFoundInAFunctionWithoutBranches) {
  expect_found([] { return straight_optimised(3); });
  expect_found([] { return straight_plain(3); });
}

TEST(EntryValue, ItIsFoundInALoop) {
  expect_found([] { return looping_optimised(5); });
  expect_found([] { return looping_plain(5); });
}

TEST(EntryValue, ItIsFoundWhereRegistersAreScarce) {
  expect_found([] { return many_values_optimised(1, 2, 3, 4, 5, 6); });
  expect_found([] { return many_values_plain(1, 2, 3, 4, 5, 6); });
}

TEST(EntryValue, ItIsFoundBehindAJumpTable) {
  for (int which = 0; which < 8; ++which) {
    expect_found([which] { return choosing_optimised(which); });
    expect_found([which] { return choosing_plain(which); });
  }
}

TEST(EntryValue, ItIsFoundBehindAHandler) {
  for (int number : {0, 1}) {
    expect_found([number] { return handling_optimised(number); });
    expect_found([number] { return handling_plain(number); });
  }
}

/// Assembly with unwind information that keeps rdi as described, calls `look_from_assembly`, and returns.
extern "C" void forgetful();
asm(R"(
  .text
  .type forgetful, @function
forgetful:
  .cfi_startproc
  pushq %rbx
  .cfi_def_cfa_offset 16
  .cfi_offset %rbx, -16
  movq %rdi, %rbx
  testq %rdi, %rdi
  je 1f
  movl $0, %ebx
1:
  call abort@plt
  popq %rbx
  .cfi_def_cfa_offset 8
  ret
  .cfi_endproc
  .size forgetful, .-forgetful
)");

TEST(EntryValue, AValueLostOnOnePathIsNotFound) {
  const CodeAddress entry{reinterpret_cast<std::uintptr_t>(&forgetful)};
  const CodeRange range = *unwind_entry_at(entry);
  bool is_any_call = false;
  for (CodeAddress at = entry; at < range.end; at = at + 1) {
    const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(value(at)), 5);
    if (bytes[0] != 0xE8) continue;
    is_any_call = true;
    EXPECT_FALSE(place_of_first_argument(std::span(&range, 1), at + 5));
  }
  EXPECT_TRUE(is_any_call);
}

TEST(EntryValue, ACallThatIsNotTheFunctionsIsNotFound) {
  const CodeRange range = *unwind_entry_at(CodeAddress{reinterpret_cast<std::uintptr_t>(&forgetful)});
  EXPECT_FALSE(place_of_first_argument(std::span(&range, 1), range.end));
}

}  // namespace
}  // namespace moult::internal
