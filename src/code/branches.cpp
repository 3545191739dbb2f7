#include "code/branches.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "code/decoder.hpp"
#include "code/patch.hpp"
#include "platform/memory.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

/// Where the instruction that may begin with these bytes leads to; nothing if none does, or it is cut off.
std::optional<CodeAddress> possible_target(std::span<const std::uint8_t> bytes, std::uintptr_t at) noexcept {
  constexpr std::uint8_t call = 0xE8;
  constexpr std::uint8_t jump = 0xE9;
  constexpr std::uint8_t short_jump = 0xEB;
  constexpr std::uint8_t two_bytes = 0x0F;  // of which 80 to 8F jump on a condition
  const auto jumps_on_condition = [](std::uint8_t byte, std::uint8_t first) { return (byte & 0xF0) == first; };
  const auto behind = [&]<class Displacement>(std::size_t before, Displacement displacement) {
    const std::size_t length = before + sizeof displacement;
    if (length > bytes.size()) return std::optional<CodeAddress>();
    std::memcpy(&displacement, bytes.data() + before, sizeof displacement);
    return std::optional(CodeAddress{at + length + static_cast<std::uintptr_t>(std::int64_t{displacement})});
  };
  if (bytes[0] == call || bytes[0] == jump) return behind(1, std::int32_t{});
  if (bytes[0] == short_jump || jumps_on_condition(bytes[0], 0x70)) return behind(1, std::int8_t{});
  if (bytes[0] != two_bytes || bytes.size() < 2 || !jumps_on_condition(bytes[1], 0x80)) return std::nullopt;
  return behind(2, std::int32_t{});
}

/// The branch at `at`, if the code around it has one there.
std::optional<Branch> believed(CodeAddress at, CodeAddress target) {
  const std::optional<CodeRange> around = unwind_entry_at(at);
  if (!around || around->contains(target)) return std::nullopt;
  const std::vector<std::uint8_t> bytes = original_code(*around);
  for (CodeAddress here = around->begin; here <= at;) {
    const std::size_t offset = value(here) - value(around->begin);
    const std::optional<Instruction> instruction = decode(std::span(bytes).subspan(offset), here);
    if (!instruction) return std::nullopt;
    if (here == at && instruction->target == target)
      return Branch{at, target, *around, instruction->kind == InstructionKind::direct_call};
    here = here + instruction->length;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Branch> branches_to(std::span<const CodeAddress> targets, CodeRange code) {
  std::vector<Branch> found;
  if (targets.empty()) return found;
  for (std::uintptr_t at = value(code.begin); at < value(code.end); ++at) {
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(at), value(code.end) - at);
    const std::optional<CodeAddress> target = possible_target(bytes, at);
    if (!target || *target < targets.front() || targets.back() < *target) continue;
    if (!std::binary_search(targets.begin(), targets.end(), *target)) continue;
    if (const std::optional<Branch> branch = believed(CodeAddress{at}, *target)) found.push_back(*branch);
  }
  return found;
}

std::vector<CodeRange> executable_in(CodeRange text) {
  std::vector<CodeRange> ranges;
  for (const Mapping& mapping : address_space().mappings()) {
    if (!allows(mapping.protection, Protection::read | Protection::execute)) continue;
    const CodeRange range{std::max(CodeAddress{mapping.begin}, text.begin),
                          std::min(CodeAddress{mapping.end}, text.end)};
    if (range.begin < range.end) ranges.push_back(range);
  }
  return ranges;
}

}  // namespace moult::internal
