// Which slots have been handed out but hold no object yet.
//
// A slot is live from operator new on, and the object's constructor begins only when its arguments have been computed.
// What stops the program in between must not take the bytes for an object. So operator new leaves a mark in the slot,
// which no constructor keeps: it is told by the first and the last eight bytes of the object, and depends on the
// address.
//
// Limit: an object whose first and last eight bytes are never written bears the mark until they are. Objects of less
// than four bytes are not told apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace moult::data {

inline constexpr std::uint64_t raw_pattern = 0x9d6f0e8bc35a71e4;

/// Where the second half of the mark is. A slot has 16 bytes at least.
constexpr std::size_t second_mark(std::size_t object_size) noexcept { return object_size < 16 ? 0 : object_size - 8; }

/// The slot's poison, if any, does not matter.
[[gnu::no_sanitize_address]] inline void mark_raw(std::byte* slot, std::size_t object_size) noexcept {
  using Bytes [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;
  std::uint64_t mark = raw_pattern ^ reinterpret_cast<std::uintptr_t>(slot);
  *reinterpret_cast<Bytes*>(slot) = mark;
  *reinterpret_cast<Bytes*>(slot + second_mark(object_size)) = mark;
}

/// Whether the slot bears the mark still.
inline bool is_raw(const std::byte* slot, std::size_t object_size) noexcept {
  std::uint64_t mark = raw_pattern ^ reinterpret_cast<std::uintptr_t>(slot);
  if (object_size < 8) return object_size >= 4 && std::memcmp(slot, &mark, 4) == 0;
  return std::memcmp(slot, &mark, 8) == 0 && std::memcmp(slot + second_mark(object_size), &mark, 8) == 0;
}

}  // namespace moult::data
