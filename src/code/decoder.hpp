// The properties of instructions that entry patches need. The decoder is Zydis, which is used only behind this header.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/address.hpp"
#include "platform/x86_64/context.hpp"

namespace moult::internal {

enum class InstructionKind {
  other,
  nop,  ///< a nop of any length
  endbr64,
  breakpoint,   ///< int3
  direct_jump,  ///< jmp, jcc, jrcxz, loop, xbegin: may continue at `target` without pushing a return address
  direct_call,
  indirect_jump,
};

struct Instruction {
  InstructionKind kind = InstructionKind::other;
  std::size_t length = 0;
  std::optional<CodeAddress> target;  ///< of a direct jump or call
  /// An address known in advance that the instruction computes or reads from, if it may be a jump table: the address of
  /// `lea reg, [rip + d]`, or d of `[d + index * scale]`.
  std::optional<std::uintptr_t> table;
  /// Where an indirect jump or call reads its target, if that is known in advance: rip + d of `jmp [rip + d]`.
  std::optional<std::uintptr_t> pointer;
  bool is_call = false;
  bool is_return = false;
  /// Whether execution may continue with the following instruction.
  bool goes_on = true;

  // The parts that change if the instruction is executed at another address (relocation.hpp).
  /// Offset of the four bytes whose value, added to the instruction's end, is the operand's address.
  std::optional<std::size_t> rip_displacement{};
  /// The condition's number, for a conditional jump on flags.
  std::optional<std::uint8_t> condition{};
  /// Offset of the byte that distinguishes an indirect call from an indirect jump.
  std::size_t modrm = 0;
  bool is_plain_jump = false;       ///< jmp to `target`, unlike loop or jrcxz
  bool uses_stack_pointer = false;  ///< in the address of an operand in memory, or as the operand of a branch
};

/// The instruction that begins at bytes[0], at the address `at`. Nothing if there is none or it is cut off.
std::optional<Instruction> decode(std::span<const std::uint8_t> bytes, CodeAddress at);

/// Decodes this process's own code at `at`, which must be mapped. Reads beyond its page only if the instruction reaches
/// there.
std::optional<Instruction> decode_at(CodeAddress at);

/// The address of the operand that the instruction at `at` finds by its own address; nothing if it has none. `bytes`
/// begin with the instruction.
std::optional<std::uintptr_t> rip_operand(const Instruction& instruction, std::span<const std::uint8_t> bytes,
                                          CodeAddress at);

/// Memory at a register plus a displacement.
struct MemoryPlace {
  Register base{};
  std::int64_t displacement = 0;
  std::size_t size = 0;  ///< in bytes
};

/// What an instruction does to the general registers, and to memory that is addressed through rsp or rbp alone. Other
/// memory is left out.
struct Effects {
  std::uint32_t written = 0;  ///< a bit for each register that may have another value afterwards, by its number
  /// A copy of a whole register: to another register, to memory (also by push), or from memory.
  std::optional<Register> from;
  std::optional<Register> to;
  std::optional<MemoryPlace> stored;  ///< memory that is written; the copy's target if there is a copy
  std::optional<MemoryPlace> loaded;  ///< the source of a copy from memory
};

/// The effects of the instruction that begins at bytes[0]. Nothing if there is none or it is cut off.
std::optional<Effects> effects_of(std::span<const std::uint8_t> bytes);

/// Registers as bits: the general ones by their number, from bit 16 on the vector registers, from bit 48 on the mask
/// registers of AVX-512. A part of a register, such as `al` or `ymm3`, counts as the register.
using RegisterSet = std::uint64_t;
constexpr RegisterSet general_register(Register number) noexcept {
  return RegisterSet{1} << static_cast<unsigned>(number);
}
constexpr RegisterSet vector_register(unsigned number) noexcept { return RegisterSet{1} << (16 + number); }

/// The registers that calls need not preserve.
inline constexpr RegisterSet call_clobbered =
    ((RegisterSet{1} << 56) - 1) &
    ~(general_register(rbx) | general_register(rbp) | general_register(rsp) | general_register(r12) |
      general_register(r13) | general_register(r14) | general_register(r15));

/// "rcx", "xmm5": the lowest register of a set that is not empty.
std::string first_name_of(RegisterSet registers);

/// Where an operand in memory is.
enum class MemoryUse { none, stack, frame, elsewhere };  ///< at rsp; at rbp; at another address

/// What an instruction does with registers and memory. Registers of the x87 unit are left out.
struct RegisterUse {
  RegisterSet read = 0;         ///< also in addresses; not by an instruction that ignores the value, as `xor eax, eax`
  RegisterSet written = 0;      ///< may have another value afterwards, in a part at least
  RegisterSet overwritten = 0;  ///< nothing is left of the value before
  MemoryUse memory_read = MemoryUse::none;
  MemoryUse memory_written = MemoryUse::none;
  std::optional<std::uint64_t> constant{};  ///< that it sets a general register to
  std::optional<Register> copied{};         ///< the general register whose value it gives to another one
  bool is_indexed = false;                  ///< an addition to a register, or a read of memory with an index
  bool is_special = false;                  ///< a system call, an access of a port, or the like
};

/// Nothing if no instruction begins at bytes[0] or it is cut off.
std::optional<RegisterUse> register_use_of(std::span<const std::uint8_t> bytes);

}  // namespace moult::internal
