// Leaves a function in another way than by returning.
#pragma once

#include <cstdint>

#include "base/address.hpp"

namespace moult::internal {

/// The registers of a function that has just made a call: those that the call must preserve, and the address of the
/// return address on top of its stack.
struct CallerState {
  std::uint64_t rbx = 0;
  std::uint64_t rbp = 0;
  std::uint64_t r12 = 0;
  std::uint64_t r13 = 0;
  std::uint64_t r14 = 0;
  std::uint64_t r15 = 0;
  std::uint64_t return_address_at = 0;
};

/// Gives the calling thread these registers and enters `code`, as if the caller had called it with `first_argument`
/// alone. Inner frames are discarded as they are: no destructor runs.
[[noreturn]] void enter_instead(const CallerState& caller, CodeAddress code, std::uint64_t first_argument) noexcept;

}  // namespace moult::internal
