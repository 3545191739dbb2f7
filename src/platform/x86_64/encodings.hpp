// The machine code that moult writes, as checked data, and the code that it has to recognise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "base/address.hpp"

namespace moult::internal::x86_64 {

/// `endbr64`: where indirect calls may land under control-flow enforcement.
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

/// `jmp target`, for a target within 127 bytes of its end.
struct [[gnu::packed]] JumpRel8 {
  std::uint8_t opcode = 0xEB;
  std::int8_t displacement = 0;
};
static_assert(sizeof(JumpRel8) == 2, "an EB jump is two bytes");

/// `jmp *displacement(%rip)`: to the address that is stored in eight bytes within 2 GB of its end.
struct [[gnu::packed]] JumpThrough {
  std::uint16_t opcode = 0x25FF;
  std::int32_t displacement = 0;
};
static_assert(sizeof(JumpThrough) == 6, "an FF 25 jump is six bytes");

/// `movabs place, %r11; jmp *(%r11)`: to the address that is stored at `place`, which may be anywhere. No call passes
/// anything in r11.
struct [[gnu::packed]] JumpByPlace {
  std::uint16_t load = 0xBB49;
  std::uint64_t place = 0;
  std::uint8_t jump[3] = {0x41, 0xFF, 0x23};
};
static_assert(sizeof(JumpByPlace) == 13, "ten bytes load the place, three jump");

/// Sixteen bytes near a function: an address that its entry may jump through, and a jump through it, for an entry with
/// room for five bytes only.
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

inline constexpr std::size_t longest_call = 7;
/// Whether these may be a call's last bytes: E8 and four bytes, or FF /2 in any of its lengths.
constexpr bool ends_with_call(std::span<const std::uint8_t, longest_call> code) noexcept {
  if (code[longest_call - 5] == 0xE8) return true;
  for (std::size_t length : {2, 3, 4, 6, 7})
    if (code[longest_call - length] == 0xFF && (code[longest_call - length + 1] >> 3 & 7) == 2) return true;
  return false;
}

/// The distance from the end of an instruction at `at`, `length` bytes long, to `to`. Nothing if it is more than 2 GB.
constexpr std::optional<std::int32_t> displacement(CodeAddress at, std::size_t length, std::uintptr_t to) noexcept {
  std::int64_t distance = static_cast<std::int64_t>(to - (value(at) + length));
  if (distance < std::numeric_limits<std::int32_t>::min() || distance > std::numeric_limits<std::int32_t>::max())
    return std::nullopt;
  return static_cast<std::int32_t>(distance);
}

/// The jump at `at` to `to`. Nothing if that is too far.
constexpr std::optional<JumpRel32> jump_to(CodeAddress at, CodeAddress to) noexcept {
  std::optional<std::int32_t> distance = displacement(at, sizeof(JumpRel32), value(to));
  if (!distance) return std::nullopt;
  return JumpRel32{.displacement = *distance};
}

/// The jump at `at` to the address stored at `where`. Nothing if that is too far.
constexpr std::optional<JumpThrough> jump_through(CodeAddress at, std::uintptr_t where) noexcept {
  std::optional<std::int32_t> distance = displacement(at, sizeof(JumpThrough), where);
  if (!distance) return std::nullopt;
  return JumpThrough{.displacement = *distance};
}

}  // namespace moult::internal::x86_64
