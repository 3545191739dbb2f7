#include "code/function_body.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>

#include "code/jump_table.hpp"
#include "code/patch.hpp"
#include "platform/memory.hpp"

namespace moult::internal {

std::optional<FunctionBody> FunctionBody::read(std::span<const CodeRange> parts) {
  FunctionBody body;
  body.entry_ = parts.front().begin;
  std::vector<std::uintptr_t> tables;
  for (const CodeRange& part : parts) {
    const std::vector<std::uint8_t> bytes = original_code(part);
    for (std::size_t offset = 0; offset < bytes.size();) {
      const std::span<const std::uint8_t> rest = std::span(bytes).subspan(offset);
      const CodeAddress at = part.begin + offset;
      const std::optional<Instruction> instruction = decode(rest, at);
      std::optional<RegisterUse> use = register_use_of(rest);
      if (!instruction || !use) return std::nullopt;
      const std::optional<std::uintptr_t> operand = rip_operand(*instruction, rest, at);
      const bool is_address = operand && use->memory_read == MemoryUse::none && use->memory_written == MemoryUse::none;
      if (is_address && use->overwritten != 0) use->constant = *operand;  // lea
      if (instruction->table) tables.push_back(*instruction->table);
      body.has_frame_pointer_ |=
          use->copied == internal::rsp && (use->overwritten & general_register(internal::rbp)) != 0;
      body.steps_.emplace(at, Step{*instruction, *use, operand, false});
      offset += instruction->length;
    }
  }
  body.look_for_tables(tables);
  return body;
}

bool FunctionBody::is_computed_jump(std::map<CodeAddress, Step>::const_iterator jump) const {
  constexpr int most_looked_at = 8;
  const Step& step = jump->second;
  if (step.use.memory_read != MemoryUse::none) return step.use.is_indexed;
  for (int i = 0; i < most_looked_at && jump != steps_.begin(); ++i) {
    const Step& before = (--jump)->second;
    if (!before.instruction.goes_on || leaves(before)) return false;
    if ((before.use.written & step.use.read) != 0) return before.use.is_indexed;
  }
  return false;
}

void FunctionBody::look_for_tables(std::span<const std::uintptr_t> places) {
  std::vector<std::map<CodeAddress, Step>::iterator> jumps;
  for (auto each = steps_.begin(); each != steps_.end(); ++each)
    if (each->second.instruction.kind == InstructionKind::indirect_jump && !each->second.instruction.pointer &&
        is_computed_jump(each))
      jumps.push_back(each);
  if (jumps.empty()) return;
  const auto read = [](std::uintptr_t address, std::span<std::uint8_t> to) {
    return read_memory(address, std::as_writable_bytes(to));
  };
  std::set<std::uintptr_t> tables;
  for (const std::uintptr_t place : places) {
    const std::size_t before = table_targets_.size();
    if (contains(CodeAddress{place}) && place != value(entry_))
      table_targets_.push_back(CodeAddress{place});  // a label
    add_table_targets(
        place, read, [this](CodeAddress target) { return contains(target); }, table_targets_);
    if (table_targets_.size() > before) tables.insert(place);
  }
  for (const auto& jump : jumps) {
    const std::optional<std::uintptr_t> own = jump->second.instruction.table;
    jump->second.is_table_jump = own ? tables.contains(*own) : !tables.empty();
  }
}

bool FunctionBody::leaves(const Step& step) const {
  if (step.instruction.is_call) return true;
  if (step.instruction.kind == InstructionKind::indirect_jump) return !step.is_table_jump;
  return step.instruction.kind == InstructionKind::direct_jump && !contains(*step.instruction.target);
}

std::vector<CodeAddress> FunctionBody::next(CodeAddress at) const {
  std::vector<CodeAddress> found;
  const auto add = [&](CodeAddress address) {
    if (contains(address)) found.push_back(address);
  };
  const Step& step = steps_.at(at);
  if (step.instruction.goes_on) add(at + step.instruction.length);
  if (step.instruction.kind == InstructionKind::direct_jump) add(*step.instruction.target);
  if (step.is_table_jump)
    for (const CodeAddress target : table_targets_) add(target);
  return found;
}

}  // namespace moult::internal
