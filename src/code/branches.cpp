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

/// The length of the opcode of a branch that may stand in front of `place`, where a displacement of one byte lies.
std::size_t short_opcode_before(const std::uint8_t* place, std::size_t room) noexcept {
  constexpr std::uint8_t jump = 0xEB;  // and 70 to 7F jump on a condition
  return room >= 1 && (place[-1] == jump || (place[-1] & 0xF0) == 0x70) ? 1 : 0;
}

/// Where it has four bytes.
std::size_t long_opcode_before(const std::uint8_t* place, std::size_t room) noexcept {
  constexpr std::uint8_t call = 0xE8;
  constexpr std::uint8_t jump = 0xE9;
  constexpr std::uint8_t two_bytes = 0x0F;  // of which 80 to 8F jump on a condition
  if (room >= 1 && (place[-1] == call || place[-1] == jump)) return 1;
  return room >= 2 && place[-2] == two_bytes && (place[-1] & 0xF0) == 0x80 ? 2 : 0;
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

/// Adds the branches to `targets` whose displacement is of the type and lies in `code` from `begin` to `end`. All code
/// of a module is read for every update, and at nearly no place in it do the bytes lead to a target: that is asked
/// first.
template <class Displacement, class OpcodeBefore>
void add_branches(std::vector<Branch>& found, std::span<const CodeAddress> targets, CodeRange code,
                  std::uintptr_t begin, std::uintptr_t end, OpcodeBefore opcode_before) {
  const std::uintptr_t first = value(targets.front());
  const std::uintptr_t distance = value(targets.back()) - first;
  for (std::uintptr_t at = begin; at + sizeof(Displacement) <= end; ++at) {
    const auto* const place = reinterpret_cast<const std::uint8_t*>(at);
    Displacement displacement{};
    std::memcpy(&displacement, place, sizeof displacement);
    const std::uintptr_t target = at + sizeof displacement + static_cast<std::uintptr_t>(std::int64_t{displacement});
    if (target - first > distance) continue;
    const std::size_t opcode = opcode_before(place, at - value(code.begin));
    if (opcode == 0 || !std::binary_search(targets.begin(), targets.end(), CodeAddress{target})) continue;
    if (const std::optional<Branch> branch = believed(CodeAddress{at - opcode}, CodeAddress{target}))
      found.push_back(*branch);
  }
}

}  // namespace

std::vector<Branch> branches_to(std::span<const CodeAddress> targets, CodeRange code) {
  std::vector<Branch> found;
  if (targets.empty()) return found;
  add_branches<std::int32_t>(found, targets, code, value(code.begin), value(code.end), long_opcode_before);
  constexpr std::uintptr_t farthest = 0x80 + 1;  // of a short jump, from its displacement
  const std::uintptr_t begin = std::max(value(code.begin), value(targets.front()) - farthest);
  const std::uintptr_t end = std::min(value(code.end), value(targets.back()) + farthest);
  if (begin < end) add_branches<std::int8_t>(found, targets, code, begin, end, short_opcode_before);
  std::sort(found.begin(), found.end(), [](const Branch& a, const Branch& b) { return a.at < b.at; });
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
