#include "code/decoder.hpp"

#include <Zydis/Zydis.h>

#include "base/check.hpp"

namespace moult::code {
namespace {

ZydisDecoder make_decoder() {
  ZydisDecoder decoder;
  ZyanStatus status = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  MOULT_CHECK(ZYAN_SUCCESS(status), "the decoder does not know 64-bit code");
  // Unknown hints are nops to the processor; the decoder shall see endbr64 for what it is.
  ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_CET, ZYAN_TRUE);
  return decoder;
}

bool is_nop(const ZydisDecodedInstruction& raw) noexcept {
  if (raw.mnemonic == ZYDIS_MNEMONIC_NOP) return true;
  // 66 90 stands in the tables as an exchange of ax with itself.
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

}  // namespace

std::optional<Instruction> decode(std::span<const std::uint8_t> bytes, CodeAddress at) {
  static const ZydisDecoder decoder = make_decoder();
  ZydisDecodedInstruction raw;
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, nullptr, bytes.data(), bytes.size(), &raw)))
    return std::nullopt;
  Instruction instruction;
  instruction.kind = kind_of(raw);
  instruction.length = raw.length;
  instruction.is_call = raw.meta.category == ZYDIS_CATEGORY_CALL;
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

}  // namespace moult::code
