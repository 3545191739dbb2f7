// The mark of a slot that is allocated but holds no object yet.
//
// A slot is live from operator new on, but the constructor begins only after its arguments are computed. A stop in
// between must not mistake the bytes for an object. So operator new writes a mark into the first and the last eight
// bytes of the object. The mark depends on the slot's address, and no constructor leaves it in place.
//
// Limits: an object bears the mark until its first or last eight bytes are written (under_construction.cpp says what
// follows). For objects of less than four bytes there is no mark.
#pragma once

#include <cstddef>
#include <cstdint>

namespace moult::internal {

inline constexpr std::uint64_t uninitialised_pattern = 0x9d6f0e8bc35a71e4;

/// The offset of the mark's second half. A slot has at least 16 bytes.
constexpr std::size_t second_mark(std::size_t object_size) noexcept { return object_size < 16 ? 0 : object_size - 8; }

using MarkBytes [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;
using ShortMarkBytes [[gnu::may_alias, gnu::aligned(1)]] = std::uint32_t;

inline std::uint64_t mark_of(const std::byte* slot) noexcept {
  return uninitialised_pattern ^ reinterpret_cast<std::uintptr_t>(slot);
}

/// Here and below without the address sanitizer's checks: a thread may be stopped before the slot is unpoisoned.
[[gnu::no_sanitize_address]] inline void mark_uninitialised(std::byte* slot, std::size_t object_size) noexcept {
  *reinterpret_cast<MarkBytes*>(slot) = mark_of(slot);
  *reinterpret_cast<MarkBytes*>(slot + second_mark(object_size)) = mark_of(slot);
}

/// Whether the slot's bytes, which lie at `bytes` now, still bear the mark.
[[gnu::no_sanitize_address]] inline bool is_uninitialised(const std::byte* slot, const std::byte* bytes,
                                                          std::size_t object_size) noexcept {
  std::uint64_t mark = mark_of(slot);
  if (object_size < 8)
    return object_size >= 4 && *reinterpret_cast<const ShortMarkBytes*>(bytes) == static_cast<std::uint32_t>(mark);
  return *reinterpret_cast<const MarkBytes*>(bytes) == mark &&
         *reinterpret_cast<const MarkBytes*>(bytes + second_mark(object_size)) == mark;
}

/// Whether the slot still bears the mark.
inline bool is_uninitialised(const std::byte* slot, std::size_t object_size) noexcept {
  return is_uninitialised(slot, slot, object_size);
}

}  // namespace moult::internal
