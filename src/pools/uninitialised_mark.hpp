// Which slots have been handed out but hold no object yet.
//
// A slot is live from operator new on, and the object's constructor begins only when its arguments have been computed.
// What stops the program in between must not take the bytes for an object. So operator new leaves a mark in the slot,
// which no constructor keeps: it is told by the first and the last eight bytes of the object, and depends on the
// address.
//
// Limit: an object whose first and last eight bytes are never written bears the mark until they are; unmade.hpp says
// what follows. Objects of less than four bytes are not told apart.
#pragma once

#include <cstddef>
#include <cstdint>

namespace moult::internal {

inline constexpr std::uint64_t uninitialised_pattern = 0x9d6f0e8bc35a71e4;

/// Where the second half of the mark is. A slot has 16 bytes at least.
constexpr std::size_t second_mark(std::size_t object_size) noexcept { return object_size < 16 ? 0 : object_size - 8; }

using MarkBytes [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;
using ShortMarkBytes [[gnu::may_alias, gnu::aligned(1)]] = std::uint32_t;

inline std::uint64_t mark_of(const std::byte* slot) noexcept {
  return uninitialised_pattern ^ reinterpret_cast<std::uintptr_t>(slot);
}

/// The slot's poison, if any, does not matter, here and below: a thread may be stopped before it is taken away.
[[gnu::no_sanitize_address]] inline void mark_uninitialised(std::byte* slot, std::size_t object_size) noexcept {
  *reinterpret_cast<MarkBytes*>(slot) = mark_of(slot);
  *reinterpret_cast<MarkBytes*>(slot + second_mark(object_size)) = mark_of(slot);
}

/// Whether `bytes`, which are those of the slot wherever they lie now, bear the mark still.
[[gnu::no_sanitize_address]] inline bool is_uninitialised(const std::byte* slot, const std::byte* bytes,
                                                std::size_t object_size) noexcept {
  std::uint64_t mark = mark_of(slot);
  if (object_size < 8)
    return object_size >= 4 && *reinterpret_cast<const ShortMarkBytes*>(bytes) == static_cast<std::uint32_t>(mark);
  return *reinterpret_cast<const MarkBytes*>(bytes) == mark &&
         *reinterpret_cast<const MarkBytes*>(bytes + second_mark(object_size)) == mark;
}

/// Whether the slot bears the mark still.
inline bool is_uninitialised(const std::byte* slot, std::size_t object_size) noexcept { return is_uninitialised(slot, slot, object_size); }

}  // namespace moult::internal
