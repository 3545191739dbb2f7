// When a variable is available. A location list gives the place for each instruction. Unoptimised code has one place
// for the whole function instead, which is wrong in the first instructions, before the frame is set up, and in the last
// ones. A thread may be stopped there. So the innermost frame must be past the prologue, and its base must be computed
// from the register that the unwind table names.
#include "stacks/frame_values.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "platform/memory.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

constexpr std::uint64_t first_vector = 17;
constexpr std::uint64_t vector_count = 16;
constexpr std::uint64_t vector_bytes = 16;

const LocationEntry* entry_at(const std::vector<LocationEntry>& entries, CodeAddress address) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [address](const LocationEntry& entry) { return entry.code.contains(address); });
  return found != entries.end() ? &*found : nullptr;
}

/// For a frame whose base is a register: whether that register holds the base at this instruction.
bool is_set_up(const StoppedFrame& frame) {
  const FrameState& state = frame.state();
  if (state.frame.is_return_address) return true;  // calls happen only between prologue and epilogue
  if (state.frame.pc >= frame.described().entry && state.frame.pc < frame.described().body) return false;
  const LocationEntry* base = entry_at(frame.described().frame_base, frame.code());
  const std::optional<std::uint64_t> number = base != nullptr ? register_named_by(base->expression) : std::nullopt;
  if (!number) return true;
  if (!state.has_plain_cfa) return false;
  if (*number == internal::rbp) return state.cfa_register == internal::rbp;
  Row row;
  return find_row(frame.described().body, row) && row.cfa_expression == nullptr &&
         row.cfa_register == state.cfa_register && row.cfa_offset == state.cfa_offset;
}

/// Below the frame's part of the stack, where the stop signal's own frame lies.
bool is_below(const LocationPiece& piece, const FrameState& state) {
  constexpr std::uint64_t red_zone = 128;
  constexpr std::uint64_t far = std::uint64_t{1} << 20;
  const std::uint64_t end = state.registers[internal::rsp] - red_zone;
  return piece.kind == LocationPiece::Kind::memory && piece.place < end && end - piece.place < far;
}

}  // namespace

bool StoppedFrame::read_register(std::uint64_t number, std::span<std::byte> to) const {
  if (number < register_count) {
    if (!state_.holds(number) || to.size() > sizeof(std::uint64_t)) return false;
    std::memcpy(to.data(), &state_.registers[number], to.size());
    return true;
  }
  if (number < first_vector || number >= first_vector + vector_count || to.size() > vector_bytes) return false;
  const std::size_t word = (number - first_vector) * (vector_bytes / sizeof(std::uint64_t));
  if (word >= vectors_.size()) return false;
  std::memcpy(to.data(), &vectors_[word], to.size());
  return true;
}

bool StoppedFrame::read_memory(std::uint64_t address, std::span<std::byte> to) const { return memory_(address, to); }

std::optional<std::uint64_t> StoppedFrame::cfa() const {
  return state_.cfa != 0 ? std::optional(state_.cfa) : std::nullopt;
}

std::optional<std::uint64_t> StoppedFrame::frame_base() const {
  const LocationEntry* base = entry_at(described_.frame_base, code());
  // A frame base that refers to itself comes from a damaged file.
  const auto asks_itself = [](const LocationOperation& operation) { return operation.code == DW_OP_fbreg; };
  if (base == nullptr || std::any_of(base->expression.begin(), base->expression.end(), asks_itself))
    return std::nullopt;
  return evaluate_number(base->expression, *this);
}

std::optional<std::uint64_t> StoppedFrame::entry_value(const LocationExpression& inner) const {
  std::optional<std::uint64_t> number = register_named_by(inner);
  return number && at_call_ ? at_call_(*number) : std::nullopt;
}

bool FoundVariable::is_there() const noexcept {
  return !location.empty() && std::none_of(location.begin(), location.end(), [](const LocationPiece& piece) {
    return piece.kind == LocationPiece::Kind::missing;
  });
}

FoundVariable find_variable(const FrameVariable& variable, const StoppedFrame& frame) {
  FoundVariable found;
  for (const LocationEntry& entry : variable.entries) {
    if (!entry.code.contains(frame.code())) continue;
    if (found.entries++ == 0) found.entry = &entry;
  }
  if (found.entry == nullptr) return found;
  found.is_early = !variable.has_list && !is_set_up(frame);
  if (found.is_early) return found;
  found.location = evaluate(found.entry->expression, frame);
  for (LocationPiece& piece : found.location)
    if (is_below(piece, frame.state())) piece.kind = LocationPiece::Kind::missing;
  return found;
}

std::optional<std::vector<std::byte>> value_of(const FrameVariable& variable, const FoundVariable& found,
                                               const StoppedFrame& frame) {
  if (found.is_there()) return read_value(found.location, variable.type.size, frame);
  const bool is_constant = variable.entries.empty() && !variable.constant.empty();
  return is_constant && variable.constant.size() == variable.type.size ? std::optional(variable.constant)
                                                                       : std::nullopt;
}

bool read_process_memory(std::uint64_t address, std::span<std::byte> to) { return internal::read_memory(address, to); }

std::string register_name(std::uint64_t number) {
  constexpr std::array<std::string_view, register_count> names{"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
                                                               "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                                               "r12", "r13", "r14", "r15", "rip"};
  if (number < names.size()) return std::string(names[number]);
  if (number < first_vector + vector_count) return "xmm" + std::to_string(number - first_vector);
  return "register " + std::to_string(number);
}

}  // namespace moult::internal
