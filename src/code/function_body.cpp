#include "code/function_body.hpp"

#include <cstddef>
#include <cstdint>

#include "code/patch.hpp"

namespace moult::internal {

std::optional<FunctionBody> FunctionBody::read(std::span<const CodeRange> parts) {
  FunctionBody body;
  body.entry_ = parts.front().begin;
  for (const CodeRange& part : parts) {
    const std::vector<std::uint8_t> bytes = original_code(part);
    bool is_beginning = true;
    for (std::size_t offset = 0; offset < bytes.size();) {
      const std::span<const std::uint8_t> rest = std::span(bytes).subspan(offset);
      const CodeAddress at = part.begin + offset;
      const std::optional<Instruction> instruction = decode(rest, at);
      const std::optional<RegisterUse> use = register_use_of(rest);
      const std::optional<Effects> effects = effects_of(rest);
      if (!instruction || !use || !effects) return std::nullopt;
      const bool is_filler = instruction->kind == InstructionKind::nop;
      if (is_beginning && !is_filler && at != body.entry_) body.blocks_.insert(at);
      if (!is_filler) is_beginning = !instruction->goes_on;
      if (instruction->kind == InstructionKind::direct_jump) body.blocks_.insert(*instruction->target);
      body.has_table_ = body.has_table_ || instruction->table.has_value();
      body.has_frame_pointer_ =
          body.has_frame_pointer_ || (effects->from == internal::rsp && effects->to == internal::rbp);
      body.steps_.emplace(at, Step{*instruction, *use, rip_operand(*instruction, rest, at)});
      offset += instruction->length;
    }
  }
  return body;
}

bool FunctionBody::leaves(const Step& step) const {
  if (step.instruction.is_call) return true;
  if (step.instruction.kind == InstructionKind::indirect_jump) return step.instruction.pointer || !has_table_;
  return step.instruction.kind == InstructionKind::direct_jump && !contains(*step.instruction.target);
}

std::vector<CodeAddress> FunctionBody::next(CodeAddress at) const {
  std::vector<CodeAddress> found;
  const auto add = [&](CodeAddress address) {
    if (contains(address)) found.push_back(address);
  };
  const Instruction& instruction = steps_.at(at).instruction;
  if (instruction.goes_on) add(at + instruction.length);
  if (instruction.kind == InstructionKind::direct_jump) add(*instruction.target);
  if (instruction.kind == InstructionKind::indirect_jump && has_table_)
    for (const CodeAddress block : blocks_) add(block);
  return found;
}

}  // namespace moult::internal
