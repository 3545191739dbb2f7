#include "code/way_out.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "code/decoder.hpp"
#include "code/patch.hpp"

namespace moult::internal {
namespace {

bool leads_out(const Instruction& instruction, std::span<const CodeRange> ranges) {
  if (instruction.is_return || instruction.kind == InstructionKind::indirect_jump) return true;
  return instruction.kind == InstructionKind::direct_jump &&
         std::none_of(ranges.begin(), ranges.end(),
                      [&](const CodeRange& range) { return range.contains(*instruction.target); });
}

}  // namespace

bool may_return(std::span<const CodeRange> ranges) {
  for (const CodeRange& range : ranges) {
    const std::vector<std::uint8_t> bytes = original_code(range);
    std::span<const std::uint8_t> rest(bytes);
    for (CodeAddress at = range.begin; !rest.empty();) {
      const std::optional<Instruction> instruction = decode(rest, at);
      if (!instruction || leads_out(*instruction, ranges)) return true;
      at = at + instruction->length;
      rest = rest.subspan(instruction->length);
    }
  }
  return ranges.empty();
}

}  // namespace moult::internal
