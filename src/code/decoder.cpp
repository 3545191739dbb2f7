#include "code/decoder.hpp"

#include <Zydis/Zydis.h>
#include <cstring>

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "base/check.hpp"

namespace moult::internal {
namespace {

ZydisDecoder make_decoder() {
  ZydisDecoder decoder;
  ZyanStatus status = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  MOULT_CHECK(ZYAN_SUCCESS(status), "the decoder does not know 64-bit code");
  // The processor treats unknown hints as nops. The decoder must recognise endbr64.
  ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_CET, ZYAN_TRUE);
  return decoder;
}

bool is_nop(const ZydisDecodedInstruction& raw) noexcept {
  if (raw.mnemonic == ZYDIS_MNEMONIC_NOP) return true;
  // Zydis lists 66 90 as an exchange of ax with itself.
  return raw.mnemonic == ZYDIS_MNEMONIC_XCHG && raw.opcode == 0x90 && (raw.attributes & ZYDIS_ATTRIB_HAS_REX) == 0;
}

InstructionKind kind_of(const ZydisDecodedInstruction& raw) noexcept {
  if (raw.raw.imm[0].is_relative)
    return raw.meta.category == ZYDIS_CATEGORY_CALL ? InstructionKind::direct_call : InstructionKind::direct_jump;
  if (raw.mnemonic == ZYDIS_MNEMONIC_JMP) return InstructionKind::indirect_jump;
  if (raw.mnemonic == ZYDIS_MNEMONIC_INT3) return InstructionKind::breakpoint;
  if (raw.mnemonic == ZYDIS_MNEMONIC_ENDBR64) return InstructionKind::endbr64;
  return is_nop(raw) ? InstructionKind::nop : InstructionKind::other;
}

std::optional<std::uintptr_t> table_of(const ZydisDecodedInstruction& raw, std::uintptr_t end) noexcept {
  if ((raw.attributes & ZYDIS_ATTRIB_HAS_MODRM) == 0 || raw.raw.modrm.mod != 0) return std::nullopt;
  std::uintptr_t displacement = static_cast<std::uintptr_t>(raw.raw.disp.value);
  if (raw.mnemonic == ZYDIS_MNEMONIC_LEA && raw.raw.modrm.rm == 5) return end + displacement;
  bool is_indexed = (raw.attributes & ZYDIS_ATTRIB_HAS_SIB) != 0 && raw.raw.sib.base == 5 && raw.raw.sib.index != 4;
  if (is_indexed && raw.raw.sib.scale >= 2) return displacement;
  return std::nullopt;
}

std::optional<std::uintptr_t> pointer_of(const ZydisDecodedInstruction& raw, std::uintptr_t end) noexcept {
  bool is_branch = raw.mnemonic == ZYDIS_MNEMONIC_JMP || raw.mnemonic == ZYDIS_MNEMONIC_CALL;
  if (!is_branch || raw.raw.imm[0].is_relative || (raw.attributes & ZYDIS_ATTRIB_HAS_MODRM) == 0) return std::nullopt;
  if (raw.raw.modrm.mod != 0 || raw.raw.modrm.rm != 5) return std::nullopt;
  return end + static_cast<std::uintptr_t>(raw.raw.disp.value);
}

/// jo to jg, short and near, have the condition in their opcode's low half.
std::optional<std::uint8_t> condition_of(const ZydisDecodedInstruction& raw) noexcept {
  const bool is_short = raw.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (raw.opcode & 0xF0) == 0x70;
  const bool is_near = raw.opcode_map == ZYDIS_OPCODE_MAP_0F && (raw.opcode & 0xF0) == 0x80;
  if (!raw.raw.imm[0].is_relative || (!is_short && !is_near)) return std::nullopt;
  return static_cast<std::uint8_t>(raw.opcode & 0x0F);
}

/// rsp is number 4 where no prefix extends it; as an index it means none.
bool uses_stack_pointer(const ZydisDecodedInstruction& raw) noexcept {
  if ((raw.attributes & ZYDIS_ATTRIB_HAS_MODRM) == 0) return false;
  if (raw.raw.modrm.rm != 4 || raw.raw.rex.B == 1) return false;
  return raw.raw.modrm.mod == 3 || raw.raw.sib.base == 4;
}

void note_movable_parts(const ZydisDecodedInstruction& raw, Instruction& instruction) noexcept {
  const bool has_modrm = (raw.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
  if (has_modrm && raw.raw.modrm.mod == 0 && raw.raw.modrm.rm == 5) instruction.rip_displacement = raw.raw.disp.offset;
  instruction.condition = condition_of(raw);
  instruction.modrm = has_modrm ? raw.raw.modrm.offset : 0;
  instruction.is_plain_jump = raw.mnemonic == ZYDIS_MNEMONIC_JMP && raw.raw.imm[0].is_relative;
  instruction.uses_stack_pointer = uses_stack_pointer(raw);
}

const ZydisDecoder& decoder() {
  static const ZydisDecoder made = make_decoder();
  return made;
}

/// The general register that `name` is all or a part of.
std::optional<Register> register_of(ZydisRegister name) noexcept {
  switch (ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name)) {
    case ZYDIS_REGISTER_RAX: return rax;
    case ZYDIS_REGISTER_RDX: return rdx;
    case ZYDIS_REGISTER_RCX: return rcx;
    case ZYDIS_REGISTER_RBX: return rbx;
    case ZYDIS_REGISTER_RSI: return rsi;
    case ZYDIS_REGISTER_RDI: return rdi;
    case ZYDIS_REGISTER_RBP: return internal::rbp;
    case ZYDIS_REGISTER_RSP: return internal::rsp;
    case ZYDIS_REGISTER_R8: return r8;
    case ZYDIS_REGISTER_R9: return r9;
    case ZYDIS_REGISTER_R10: return r10;
    case ZYDIS_REGISTER_R11: return r11;
    case ZYDIS_REGISTER_R12: return r12;
    case ZYDIS_REGISTER_R13: return r13;
    case ZYDIS_REGISTER_R14: return r14;
    case ZYDIS_REGISTER_R15: return r15;
    default: return std::nullopt;
  }
}

std::optional<MemoryPlace> place_of(const ZydisDecodedOperand& operand) noexcept {
  if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.index != ZYDIS_REGISTER_NONE) return std::nullopt;
  const std::optional<Register> base = register_of(operand.mem.base);
  if (!base || (*base != internal::rsp && *base != internal::rbp)) return std::nullopt;
  return MemoryPlace{*base, operand.mem.disp.value, operand.size / 8U};
}

/// A whole register as an operand.
std::optional<Register> whole_register(const ZydisDecodedOperand& operand) noexcept {
  if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER || operand.size != 64) return std::nullopt;
  return register_of(operand.reg.value);
}

void note(const ZydisDecodedOperand& operand, Effects& effects) noexcept {
  if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0) return;
  if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) {
    if (const std::optional<MemoryPlace> place = place_of(operand)) effects.stored = place;
  } else if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
    if (const std::optional<Register> number = register_of(operand.reg.value))
      effects.written |= 1U << static_cast<unsigned>(*number);
  }
}

/// `mov`, and `push` and `pop`, whose place on the stack is that of rsp after and before them.
void note_copy(const ZydisDecodedInstruction& raw, const ZydisDecodedOperand* operands, Effects& effects) noexcept {
  if (raw.mnemonic == ZYDIS_MNEMONIC_PUSH) {
    effects.from = whole_register(operands[0]);
    effects.stored = MemoryPlace{internal::rsp, -8, 8};
  } else if (raw.mnemonic == ZYDIS_MNEMONIC_POP) {
    effects.to = whole_register(operands[0]);
    effects.loaded = MemoryPlace{internal::rsp, 0, 8};
  } else if (raw.mnemonic == ZYDIS_MNEMONIC_MOV) {
    effects.to = whole_register(operands[0]);
    effects.from = whole_register(operands[1]);
    if (operands[1].size == 64 && effects.to) effects.loaded = place_of(operands[1]);
  }
}

constexpr RegisterSet general_registers = (RegisterSet{1} << 16) - 1;
constexpr RegisterSet low_vector_registers = general_registers << 16;

/// The register's bit; none for flags, segments and the x87 unit.
RegisterSet bit_of(ZydisRegister name) noexcept {
  if (const std::optional<Register> number = register_of(name)) return general_register(*number);
  const ZydisRegisterClass of = ZydisRegisterGetClass(name);
  const auto id = static_cast<unsigned>(std::max<int>(ZydisRegisterGetId(name), 0));
  if (of == ZYDIS_REGCLASS_XMM || of == ZYDIS_REGCLASS_YMM || of == ZYDIS_REGCLASS_ZMM) return vector_register(id);
  return of == ZYDIS_REGCLASS_MASK ? RegisterSet{1} << (48 + id) : 0;
}

bool has_equal_operands(const ZydisDecodedInstruction& raw, const ZydisDecodedOperand* operands) noexcept {
  if (raw.operand_count_visible < 2) return false;
  const ZydisDecodedOperand& last = operands[raw.operand_count_visible - 1];
  const ZydisDecodedOperand& other = operands[raw.operand_count_visible - 2];
  return last.type == ZYDIS_OPERAND_TYPE_REGISTER && other.type == ZYDIS_OPERAND_TYPE_REGISTER &&
         last.reg.value == other.reg.value;
}

/// `xor eax, eax` and its like.
bool clears(const ZydisDecodedInstruction& raw, const ZydisDecodedOperand* operands) noexcept {
  constexpr std::array mnemonics = {
      ZYDIS_MNEMONIC_XOR,   ZYDIS_MNEMONIC_SUB,    ZYDIS_MNEMONIC_PXOR,   ZYDIS_MNEMONIC_XORPS,  ZYDIS_MNEMONIC_XORPD,
      ZYDIS_MNEMONIC_VPXOR, ZYDIS_MNEMONIC_VPXORD, ZYDIS_MNEMONIC_VPXORQ, ZYDIS_MNEMONIC_VXORPS, ZYDIS_MNEMONIC_VXORPD};
  return std::find(mnemonics.begin(), mnemonics.end(), raw.mnemonic) != mnemonics.end() &&
         has_equal_operands(raw, operands);
}

/// `sbb eax, eax` is made of the carry flag alone, and `pcmpeqd xmm0, xmm0` of nothing.
bool ignores_operands(const ZydisDecodedInstruction& raw, const ZydisDecodedOperand* operands) noexcept {
  constexpr std::array mnemonics = {ZYDIS_MNEMONIC_SBB,      ZYDIS_MNEMONIC_PCMPEQB,  ZYDIS_MNEMONIC_PCMPEQW,
                                    ZYDIS_MNEMONIC_PCMPEQD,  ZYDIS_MNEMONIC_PCMPEQQ,  ZYDIS_MNEMONIC_VPCMPEQB,
                                    ZYDIS_MNEMONIC_VPCMPEQW, ZYDIS_MNEMONIC_VPCMPEQD, ZYDIS_MNEMONIC_VPCMPEQQ};
  const bool is_one = std::find(mnemonics.begin(), mnemonics.end(), raw.mnemonic) != mnemonics.end();
  return clears(raw, operands) || (is_one && has_equal_operands(raw, operands));
}

MemoryUse memory_use_of(const ZydisDecodedOperand& operand) noexcept {
  const bool is_plain = operand.mem.segment != ZYDIS_REGISTER_FS && operand.mem.segment != ZYDIS_REGISTER_GS;
  const std::optional<Register> base = register_of(operand.mem.base);
  if (is_plain && base == internal::rsp) return MemoryUse::stack;
  return is_plain && base == internal::rbp ? MemoryUse::frame : MemoryUse::elsewhere;
}

/// An instruction of SSE that leaves nothing of the old value in the vector register that it writes. Others, such as
/// `movhps` and `cvtsi2sd`, write a part. Instructions of AVX clear what they do not write.
bool fills_vector(const ZydisDecodedInstruction& raw, const ZydisDecodedOperand* operands) noexcept {
  if (raw.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) return true;
  constexpr std::array whole = {ZYDIS_MNEMONIC_MOVAPS, ZYDIS_MNEMONIC_MOVUPS,   ZYDIS_MNEMONIC_MOVAPD,
                                ZYDIS_MNEMONIC_MOVUPD, ZYDIS_MNEMONIC_MOVDQA,   ZYDIS_MNEMONIC_MOVDQU,
                                ZYDIS_MNEMONIC_MOVD,   ZYDIS_MNEMONIC_MOVQ,     ZYDIS_MNEMONIC_LDDQU,
                                ZYDIS_MNEMONIC_PSHUFD, ZYDIS_MNEMONIC_CVTDQ2PD, ZYDIS_MNEMONIC_CVTDQ2PS};
  const bool is_scalar = raw.mnemonic == ZYDIS_MNEMONIC_MOVSS || raw.mnemonic == ZYDIS_MNEMONIC_MOVSD;
  if (is_scalar) return operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
  return std::find(whole.begin(), whole.end(), raw.mnemonic) != whole.end() || clears(raw, operands) ||
         ignores_operands(raw, operands);
}

/// `is_whole`: a vector register that is written has nothing of its old value then.
void note_register(const ZydisDecodedOperand& operand, bool is_read, bool is_whole, RegisterUse& use) noexcept {
  const RegisterSet bit = bit_of(operand.reg.value);
  if (is_read && (operand.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0) use.read |= bit;
  if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0) use.written |= bit;
  if ((operand.actions & ZYDIS_OPERAND_ACTION_WRITE) == 0) return;
  // A write of 32 bits clears the other half of a general register.
  if (register_of(operand.reg.value) ? operand.size >= 32 : is_whole) use.overwritten |= bit;
}

void note_memory(const ZydisDecodedOperand& operand, RegisterUse& use) noexcept {
  use.read |= bit_of(operand.mem.base) | bit_of(operand.mem.index);
  use.is_indexed |= operand.mem.index != ZYDIS_REGISTER_NONE;
  if (operand.mem.type != ZYDIS_MEMOP_TYPE_MEM) return;
  if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0)
    use.memory_read = std::max(use.memory_read, memory_use_of(operand));
  if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0)
    use.memory_written = std::max(use.memory_written, memory_use_of(operand));
}

bool is_special(const ZydisDecodedInstruction& raw) noexcept {
  switch (raw.meta.category) {
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_RDRAND:
    case ZYDIS_CATEGORY_RDSEED: return true;
    default: return (raw.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0 || raw.mnemonic == ZYDIS_MNEMONIC_CPUID;
  }
}

}  // namespace

std::string first_name_of(RegisterSet registers) {
  constexpr std::array names = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
                                "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
  const auto number = static_cast<std::size_t>(std::countr_zero(registers));
  if (number < names.size()) return names[number];
  return number < 48 ? "xmm" + std::to_string(number - 16) : "k" + std::to_string(number - 48);
}

std::optional<RegisterUse> register_use_of(std::span<const std::uint8_t> bytes) {
  ZydisDecodedInstruction raw;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), bytes.data(), bytes.size(), &raw, operands)))
    return std::nullopt;
  RegisterUse use;
  if (is_nop(raw)) return use;
  const bool is_read = !ignores_operands(raw, operands);
  use.is_special = is_special(raw);
  for (std::size_t i = 0; i < raw.operand_count; ++i) {
    if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
      note_register(operands[i], is_read, fills_vector(raw, operands), use);
    if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY) note_memory(operands[i], use);
  }
  use.is_indexed |= raw.mnemonic == ZYDIS_MNEMONIC_ADD && operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER;
  if (clears(raw, operands)) use.constant = 0;
  if (raw.mnemonic == ZYDIS_MNEMONIC_MOV && operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && use.written != 0)
    use.constant = operands[1].imm.value.u;
  if (raw.mnemonic == ZYDIS_MNEMONIC_MOV && operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
      operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER && operands[0].size >= 32)
    use.copied = register_of(operands[1].reg.value);
  // `or eax, -1`
  if (raw.mnemonic == ZYDIS_MNEMONIC_OR && operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
      operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operands[1].imm.value.s == -1) {
    use.constant = operands[1].imm.value.u;
    if (operands[0].size >= 32) use.overwritten |= use.written & general_registers;
  }
  // Compilers move the stack pointer by it; the value is of no importance.
  if (raw.mnemonic == ZYDIS_MNEMONIC_PUSH && operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
    use.read &= ~general_register(rax);
  if (raw.mnemonic == ZYDIS_MNEMONIC_VZEROUPPER || raw.mnemonic == ZYDIS_MNEMONIC_VZEROALL)
    use.written |= low_vector_registers;
  if (raw.mnemonic == ZYDIS_MNEMONIC_SYSCALL)
    for (const Register argument : {rax, rdi, rsi, rdx, r10, r8, r9}) use.read |= general_register(argument);
  return use;
}

std::optional<std::uintptr_t> rip_operand(const Instruction& instruction, std::span<const std::uint8_t> bytes,
                                          CodeAddress at) {
  if (!instruction.rip_displacement) return std::nullopt;
  std::int32_t displacement = 0;
  std::memcpy(&displacement, bytes.data() + *instruction.rip_displacement, sizeof displacement);
  return value(at) + instruction.length + static_cast<std::uintptr_t>(std::intptr_t{displacement});
}

std::optional<Effects> effects_of(std::span<const std::uint8_t> bytes) {
  ZydisDecodedInstruction raw;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), bytes.data(), bytes.size(), &raw, operands)))
    return std::nullopt;
  Effects effects;
  for (std::size_t i = 0; i < raw.operand_count; ++i) note(operands[i], effects);
  note_copy(raw, operands, effects);
  return effects;
}

std::optional<Instruction> decode(std::span<const std::uint8_t> bytes, CodeAddress at) {
  ZydisDecodedInstruction raw;
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder(), nullptr, bytes.data(), bytes.size(), &raw)))
    return std::nullopt;
  Instruction instruction;
  instruction.kind = kind_of(raw);
  instruction.length = raw.length;
  instruction.is_call = raw.meta.category == ZYDIS_CATEGORY_CALL;
  instruction.is_return = raw.meta.category == ZYDIS_CATEGORY_RET;
  instruction.goes_on = raw.meta.category != ZYDIS_CATEGORY_UNCOND_BR && raw.meta.category != ZYDIS_CATEGORY_RET &&
                        raw.mnemonic != ZYDIS_MNEMONIC_UD2 && raw.mnemonic != ZYDIS_MNEMONIC_INT3;
  std::uintptr_t end = value(at) + raw.length;
  if (raw.raw.imm[0].is_relative)
    instruction.target = CodeAddress{end + static_cast<std::uintptr_t>(raw.raw.imm[0].value.s)};
  instruction.table = table_of(raw, end);
  instruction.pointer = pointer_of(raw, end);
  note_movable_parts(raw, instruction);
  return instruction;
}

std::optional<Instruction> decode_at(CodeAddress at) {
  constexpr std::uintptr_t page = 4096;
  const std::uint8_t* const bytes = reinterpret_cast<const std::uint8_t*>(value(at));
  const std::size_t size = std::min<std::size_t>(ZYDIS_MAX_INSTRUCTION_LENGTH, page - value(at) % page);
  const std::optional<Instruction> found = decode({bytes, size}, at);
  return found || size == ZYDIS_MAX_INSTRUCTION_LENGTH ? found : decode({bytes, ZYDIS_MAX_INSTRUCTION_LENGTH}, at);
}

}  // namespace moult::internal
