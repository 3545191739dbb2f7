// The machine code that moult writes, as checked data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/address.hpp"

namespace moult::x86_64 {

/// `endbr64`: where indirect calls may land when control-flow enforcement is on.
struct [[gnu::packed]] Endbr64 {
  std::uint32_t bytes = 0xFA1E0FF3;
};
static_assert(sizeof(Endbr64) == 4, "endbr64 is four bytes");

/// `jmp target`, for a target within 2 GB of its end.
struct [[gnu::packed]] JumpRel32 {
  std::uint8_t opcode = 0xE9;
  std::int32_t displacement = 0;
};
static_assert(sizeof(JumpRel32) == 5, "an E9 jump is five bytes");

/// `jmp *displacement(%rip)`: to the address that lies in eight bytes within 2 GB of its end.
struct [[gnu::packed]] JumpThrough {
  std::uint16_t opcode = 0x25FF;
  std::int32_t displacement = 0;
};
static_assert(sizeof(JumpThrough) == 6, "an FF 25 jump is six bytes");

/// Sixteen bytes near a function: an address that its entry may jump through, and a jump through it for an entry that
/// has room for five bytes only.
struct [[gnu::packed]] JumpSlot {
  JumpThrough jump{.displacement = 2};
  std::uint8_t filler[2] = {0xCC, 0xCC};
  std::uint64_t target = 0;
};
static_assert(sizeof(JumpSlot) == 16, "slots fill a page evenly");
static_assert(offsetof(JumpSlot, target) % 8 == 0, "a target is read in one piece");
static_assert(offsetof(JumpSlot, target) == sizeof(JumpThrough) + 2, "the jump goes through the slot's own target");

inline constexpr std::uint8_t breakpoint_opcode = 0xCC;
/// `push imm32`, the first instruction of the linkage table's way to the loader.
inline constexpr std::uint8_t push_imm32 = 0x68;

/// From the end of an instruction at `at`, `length` bytes long, to `to`; nothing when it is more than 2 GB away.
constexpr std::optional<std::int32_t> displacement(CodeAddress at, std::size_t length, std::uintptr_t to) noexcept {
  std::int64_t distance = static_cast<std::int64_t>(to - (value(at) + length));
  if (distance < std::numeric_limits<std::int32_t>::min() || distance > std::numeric_limits<std::int32_t>::max())
    return std::nullopt;
  return static_cast<std::int32_t>(distance);
}

/// The jump at `at` to `to`, nothing when that is too far.
constexpr std::optional<JumpRel32> jump_to(CodeAddress at, CodeAddress to) noexcept {
  std::optional<std::int32_t> distance = displacement(at, sizeof(JumpRel32), value(to));
  if (!distance) return std::nullopt;
  return JumpRel32{.displacement = *distance};
}

/// The jump at `at` to the address stored at `where`, nothing when that is too far.
constexpr std::optional<JumpThrough> jump_through(CodeAddress at, std::uintptr_t where) noexcept {
  std::optional<std::int32_t> distance = displacement(at, sizeof(JumpThrough), where);
  if (!distance) return std::nullopt;
  return JumpThrough{.displacement = *distance};
}

}  // namespace moult::x86_64
