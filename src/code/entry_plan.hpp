// Where and whether a function's entry can be overwritten with a jump, decided from bytes alone.
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

/// Copies memory at an address into `to`; false when it is not readable.
using ReadMemory = std::function<bool(std::uintptr_t address, std::span<std::uint8_t> to)>;

/// A function as it was compiled: entries that are patched already are given with their original bytes.
struct FunctionCode {
  std::string name;                     ///< for messages
  CodeBytes body;                       ///< from its entry on
  std::span<const std::uint8_t> after;  ///< bytes behind the body that belong to no other function
  std::vector<CodeBytes> fragments;     ///< .cold parts and their like
  ReadMemory read;                      ///< for jump tables; may be empty
};

struct EntryPlan {
  CodeAddress place{};   ///< where the jump goes: the entry, or behind its endbr64
  std::size_t room = 0;  ///< bytes from there on that may be overwritten
  /// The old function jumps back to its own entry (a loop that begins there). A call in progress would go on in the
  /// middle of a loop at the new function's beginning, so no call may be in progress when the jump is written.
  bool is_loop_head = false;
};

/// How many bytes of endbr64 the function begins with. They are kept.
std::size_t endbr64_length(const CodeBytes& body);

/// Needs at least `least` bytes of room; looks no further than 16. Throws Error: too_short, unsupported_code.
EntryPlan plan_entry(const FunctionCode& function, std::size_t least);

}  // namespace moult::internal
