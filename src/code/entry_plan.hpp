// Decides from bytes alone whether a function's entry can be overwritten with a jump, and where.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

struct CodeBytes {
  CodeAddress begin{};
  std::span<const std::uint8_t> bytes;

  CodeRange range() const noexcept { return {begin, begin + bytes.size()}; }
};

/// Copies memory at an address into `to`. False if it is not readable.
using ReadMemory = std::function<bool(std::uintptr_t address, std::span<std::uint8_t> to)>;

/// A function as it was compiled. If its entry is patched already, these are the original bytes.
struct FunctionCode {
  std::string name;                     ///< for messages
  CodeBytes body;                       ///< from its entry on
  std::span<const std::uint8_t> after;  ///< bytes behind the body that belong to no other function
  std::vector<CodeBytes> fragments;     ///< code that the compiler split off, such as .cold
  ReadMemory read;                      ///< for jump tables; may be empty
};

struct EntryPlan {
  CodeAddress place{};   ///< where the jump goes: the entry, or behind its endbr64
  std::size_t room = 0;  ///< bytes from there on that may be overwritten
  /// The old function jumps back to its own entry, where a loop begins. A call in progress would continue in the middle
  /// of the loop at the new function's beginning. So no call may be in progress when the jump is written.
  bool is_loop_head = false;
};

/// The number of bytes of endbr64 at the function's beginning. They are kept.
std::size_t endbr64_length(const CodeBytes& body);

/// Needs at least `least` bytes of room and looks at no more than 16. Throws Error: too_short, unsupported_code.
EntryPlan plan_entry(const FunctionCode& function, std::size_t least);

}  // namespace moult::internal
