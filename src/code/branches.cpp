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

constexpr std::size_t displacement_size = sizeof(std::int32_t);

/// How many bytes of an instruction with a displacement of four bytes come before that; 0: none begins with these.
std::size_t bytes_before_displacement(const std::uint8_t* at) noexcept {
  constexpr std::uint8_t call = 0xE8;
  constexpr std::uint8_t jump = 0xE9;
  constexpr std::uint8_t two_bytes = 0x0F;  // of which 80 to 8F jump on a condition
  if (*at == call || *at == jump) return 1;
  return *at == two_bytes && (at[1] & 0xF0) == 0x80 ? 2 : 0;
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
  constexpr std::size_t shortest = 1 + displacement_size;
  for (std::uintptr_t at = value(code.begin); at + shortest <= value(code.end); ++at) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(at);
    const std::size_t before = bytes_before_displacement(bytes);
    if (before == 0 || at + before + displacement_size > value(code.end)) continue;
    std::int32_t displacement = 0;
    std::memcpy(&displacement, bytes + before, displacement_size);
    const CodeAddress target{at + before + displacement_size + static_cast<std::uintptr_t>(std::int64_t{displacement})};
    if (target < targets.front() || targets.back() < target) continue;
    if (!std::binary_search(targets.begin(), targets.end(), target)) continue;
    if (const std::optional<Branch> branch = believed(CodeAddress{at}, target)) found.push_back(*branch);
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
