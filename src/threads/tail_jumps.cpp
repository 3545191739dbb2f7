#include "threads/tail_jumps.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "platform/x86_64/encodings.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

std::optional<CodeRange> function_beginning_at(CodeAddress target, CodeRange module) noexcept {
  std::optional<CodeRange> entry = module.contains(target) ? unwind_entry_at(target) : std::nullopt;
  return entry && entry->begin == target ? entry : std::nullopt;
}

/// The target of the function's last bytes if they are a jump of this kind.
template <class Jump>
std::optional<CodeAddress> target_of_last(CodeRange function) noexcept {
  Jump jump;
  if (function.size() < sizeof jump) return std::nullopt;
  std::memcpy(&jump, reinterpret_cast<const void*>(value(function.end) - sizeof jump), sizeof jump);
  if (jump.opcode != Jump{}.opcode) return std::nullopt;
  return function.end + static_cast<std::size_t>(jump.displacement);
}

/// The targets of everything in `code` that looks like a jump, conditional or not.
template <class Visit>
void visit_jump_targets(CodeRange code, Visit&& visit) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(value(code.begin));
  const auto visit_with = [&]<class Displacement>(std::size_t at, Displacement displacement) {
    if (at + sizeof displacement > code.size()) return;
    std::memcpy(&displacement, bytes + at, sizeof displacement);
    visit(code.begin + (at + sizeof displacement + static_cast<std::size_t>(displacement)));
  };
  for (std::size_t i = 0; i + 1 < code.size(); ++i) {
    if (bytes[i] == x86_64::JumpRel32{}.opcode) visit_with(i + 1, std::int32_t{});
    if (bytes[i] == x86_64::JumpRel8{}.opcode || (bytes[i] & 0xF0) == 0x70) visit_with(i + 1, std::int8_t{});
    if (bytes[i] == 0x0F && (bytes[i + 1] & 0xF0) == 0x80) visit_with(i + 2, std::int32_t{});
  }
}

}  // namespace

std::optional<CodeRange> last_jump_of(CodeRange function, CodeRange module) noexcept {
  for (std::optional<CodeAddress> target :
       {target_of_last<x86_64::JumpRel32>(function), target_of_last<x86_64::JumpRel8>(function)})
    if (std::optional<CodeRange> entry = target ? function_beginning_at(*target, module) : std::nullopt) return entry;
  return std::nullopt;
}

std::vector<CodeRange> jumps_of(CodeRange function, CodeRange module) {
  constexpr std::size_t most = 32;  // more than any allocator has
  std::vector<CodeRange> found = {function};
  for (std::size_t i = 0; i < found.size() && found.size() < most; ++i) {
    const CodeRange from = found[i];
    visit_jump_targets(from, [&](CodeAddress target) {
      if (from.contains(target)) return;
      std::optional<CodeRange> entry = function_beginning_at(target, module);
      if (entry && std::find(found.begin(), found.end(), *entry) == found.end()) found.push_back(*entry);
    });
  }
  found.erase(found.begin());
  return found;
}

}  // namespace moult::internal
