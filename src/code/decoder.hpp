// Instructions, as far as an entry patch asks about them. The decoder is Zydis; it is used behind this header only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/address.hpp"
#include "platform/x86_64/context.hpp"

namespace moult::internal {

enum class InstructionKind {
  other,
  nop,  ///< of any length
  endbr64,
  breakpoint,   ///< int3
  direct_jump,  ///< jmp, jcc, jrcxz, loop, xbegin: what may go on at `target` without leaving a return address
  direct_call,
  indirect_jump,
};

struct Instruction {
  InstructionKind kind = InstructionKind::other;
  std::size_t length = 0;
  std::optional<CodeAddress> target;  ///< of a direct jump or call
  /// What the instruction computes or reads with an address known beforehand, when it may be a jump table: the address
  /// of `lea reg, [rip + d]`, or d of `[d + index * scale]`.
  std::optional<std::uintptr_t> table;
  /// Where an indirect jump or call reads its target, when that is known beforehand: rip + d of `jmp [rip + d]`.
  std::optional<std::uintptr_t> pointer;
  bool is_call = false;
  /// Whether the next instruction may be the one behind it.
  bool goes_on = true;

  // What has to change in it when it is executed elsewhere (relocation.hpp).
  /// Offset of the four bytes that an operand adds to the instruction's end.
  std::optional<std::size_t> rip_displacement{};
  /// Of a conditional jump on flags: the condition's number.
  std::optional<std::uint8_t> condition{};
  /// Offset of the byte that tells an indirect call from an indirect jump.
  std::size_t modrm = 0;
  bool is_plain_jump = false;       ///< jmp to `target`, unlike loop or jrcxz
  bool uses_stack_pointer = false;  ///< in the address of an operand in memory, or as the operand of a branch
};

/// The instruction that begins at bytes[0], which lies at `at`; nothing when there is none or it is cut off.
std::optional<Instruction> decode(std::span<const std::uint8_t> bytes, CodeAddress at);

/// The same of the code of this process that lies at `at`, which must be there. Reads beyond its page only where the
/// instruction does, too.
std::optional<Instruction> decode_at(CodeAddress at);

/// Memory at a register plus a displacement.
struct MemoryPlace {
  Register base{};
  std::int64_t displacement = 0;
  std::size_t size = 0;  ///< in bytes
};

/// What an instruction does to the general registers, and to memory that is reached by rsp or rbp alone. Other memory
/// is left out.
struct Effects {
  std::uint32_t written = 0;  ///< a bit for each register that may have another value afterwards, by its number
  /// A copy of all of a register: from one to another, to memory (push too), or from memory.
  std::optional<Register> from;
  std::optional<Register> to;
  std::optional<MemoryPlace> stored;  ///< memory that is written, the copy's if there is one
  std::optional<MemoryPlace> loaded;  ///< of a copy from memory
};

/// Of the instruction that begins at bytes[0]; nothing when there is none or it is cut off.
std::optional<Effects> effects_of(std::span<const std::uint8_t> bytes);

}  // namespace moult::internal
