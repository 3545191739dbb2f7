#include "code/code_comparison.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "code/decoder.hpp"
#include "code/patch.hpp"

namespace moult::internal {
namespace {

/// One instruction and where it is.
struct Place {
  std::span<const std::uint8_t> bytes;
  CodeRange function;
  std::size_t offset = 0;
  Instruction instruction;

  std::span<const std::uint8_t> own() const { return bytes.subspan(offset, instruction.length); }
  std::optional<std::uintptr_t> operand() const { return rip_operand(instruction, own(), function.begin + offset); }
};

std::optional<Place> place_at(std::span<const std::uint8_t> bytes, CodeRange function, std::size_t offset) {
  const std::optional<Instruction> instruction = decode(bytes.subspan(offset), function.begin + offset);
  return instruction ? std::optional(Place{bytes, function, offset, *instruction}) : std::nullopt;
}

/// Inside of its own function a branch goes on where the other's does in its own.
bool has_same_target(const Place& a, const Place& b) {
  const CodeAddress to_a = *a.instruction.target;
  const CodeAddress to_b = *b.instruction.target;
  if (a.function.contains(to_a) != b.function.contains(to_b)) return false;
  return a.function.contains(to_a) ? value(to_a) - value(a.function.begin) == value(to_b) - value(b.function.begin)
                                   : to_a == to_b;
}

bool is_same(const Place& a, const Place& b) {
  if (a.instruction.length != b.instruction.length || a.instruction.kind != b.instruction.kind) return false;
  if (a.instruction.target && b.instruction.target)
    return has_same_target(a, b) && a.own()[0] == b.own()[0] && a.instruction.condition == b.instruction.condition;
  if (a.instruction.rip_displacement != b.instruction.rip_displacement) return false;
  if (!a.instruction.rip_displacement) return std::ranges::equal(a.own(), b.own());
  const std::size_t field = *a.instruction.rip_displacement;
  const std::size_t end = field + sizeof(std::int32_t);
  return a.operand() == b.operand() && std::ranges::equal(a.own().first(field), b.own().first(field)) &&
         std::ranges::equal(a.own().subspan(end), b.own().subspan(end));
}

/// The first instruction that is no endbr64.
bool begins_with_jump_to(std::span<const std::uint8_t> bytes, CodeRange function, CodeAddress target) {
  std::optional<Place> first = place_at(bytes, function, 0);
  if (first && first->instruction.kind == InstructionKind::endbr64)
    first = place_at(bytes, function, first->instruction.length);
  return first && first->instruction.is_plain_jump && first->instruction.target == target;
}

}  // namespace

bool is_same_code(CodeRange code, CodeRange copy) {
  const std::vector<std::uint8_t> code_bytes = original_code(code);
  const std::vector<std::uint8_t> copy_bytes = original_code(copy);
  if (begins_with_jump_to(copy_bytes, copy, code.begin)) return true;
  if (code.size() != copy.size()) return false;
  for (std::size_t offset = 0; offset < code.size();) {
    const std::optional<Place> a = place_at(code_bytes, code, offset);
    const std::optional<Place> b = place_at(copy_bytes, copy, offset);
    if (!a || !b || !is_same(*a, *b)) return false;
    offset += a->instruction.length;
  }
  return true;
}

}  // namespace moult::internal
