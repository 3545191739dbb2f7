// How: the places that hold the value are followed from the entry on, instruction by instruction, along all paths of
// the code. Where two paths meet, only the places that hold it on both remain. A place is a register, or memory at a
// known distance from the canonical frame address, which the unwind table gives for every instruction. A call preserves
// the registers that it must preserve, and continues behind itself or at its landing pad.
//
// A jump through a table may continue at any block that begins behind a jump or is the target of one.
//
// Limits: memory that is written through registers other than rsp and rbp is assumed to be the program's variables, not
// the compiler's place for the value. In frames whose CFA is computed from rbp, memory at rsp is not followed.
#include "code/entry_value.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "code/decoder.hpp"
#include "code/patch.hpp"
#include "unwind/exception_table.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

constexpr std::uint32_t bit(Register number) noexcept { return 1U << static_cast<unsigned>(number); }
constexpr std::uint32_t preserved = bit(rbx) | bit(internal::rbp) | bit(r12) | bit(r13) | bit(r14) | bit(r15);

/// The places that certainly hold the value.
struct Holders {
  std::uint32_t registers = 0;
  std::set<std::int64_t> slots{};  ///< by distance from the CFA

  bool operator==(const Holders&) const = default;
};

Holders common(const Holders& one, const Holders& other) {
  Holders both{.registers = one.registers & other.registers};
  std::set_intersection(one.slots.begin(), one.slots.end(), other.slots.begin(), other.slots.end(),
                        std::inserter(both.slots, both.slots.end()));
  return both;
}

std::optional<std::int64_t> slot_at(const MemoryPlace& place, CodeAddress at) {
  Row row;
  if (!find_row(at, row) || row.cfa_expression != nullptr || row.cfa_register != place.base) return std::nullopt;
  return place.displacement - row.cfa_offset;
}

bool is_loaded(const Effects& effects, CodeAddress at, const Holders& before) {
  if (!effects.loaded) return false;
  const std::optional<std::int64_t> slot = slot_at(*effects.loaded, at);
  return slot && before.slots.count(*slot) != 0;
}

void store(const MemoryPlace& place, CodeAddress at, bool is_copy, Holders& now) {
  const std::optional<std::int64_t> stored = slot_at(place, at);
  if (!stored) return;
  const auto size = static_cast<std::int64_t>(place.size);
  std::erase_if(now.slots, [&](std::int64_t slot) { return slot + 8 > *stored && slot < *stored + size; });
  if (is_copy && size == 8) now.slots.insert(*stored);
}

/// The places that hold the value after the instruction at `at`.
Holders after(const Effects& effects, CodeAddress at, const Holders& before) {
  const bool is_copy = (effects.from && (before.registers & bit(*effects.from)) != 0) || is_loaded(effects, at, before);
  Holders now = before;
  now.registers &= ~effects.written;
  if (effects.stored) store(*effects.stored, at, is_copy, now);
  if (is_copy && effects.to) now.registers |= bit(*effects.to);
  return now;
}

class Search final {
 public:
  Search(std::span<const CodeRange> ranges, CodeAddress return_address)
      : ranges_(ranges), return_address_(return_address) {
    for (const CodeRange& range : ranges) bytes_.push_back(original_code(range));
    read_blocks();
  }

  std::optional<Holders> run() {
    reach(ranges_.front().begin, Holders{.registers = bit(internal::rdi)});
    while (!open_.empty()) {
      const CodeAddress at = open_.back();
      open_.pop_back();
      if (!step(at)) return std::nullopt;
    }
    if (at_call_ && at_table_) return common(*at_call_, *at_table_);
    return at_call_;
  }

 private:
  std::span<const std::uint8_t> bytes_at(CodeAddress at) const {
    for (std::size_t i = 0; i < ranges_.size(); ++i)
      if (ranges_[i].contains(at)) return std::span(bytes_[i]).subspan(value(at) - value(ranges_[i].begin));
    return {};
  }

  /// The possible targets of a jump through a table.
  void read_blocks() {
    for (const CodeRange& range : ranges_) {
      bool is_beginning = false;
      for (CodeAddress at = range.begin; at < range.end;) {
        const std::optional<Instruction> instruction = decode(bytes_at(at), at);
        if (!instruction) break;
        if (is_beginning && instruction->kind != InstructionKind::nop) blocks_.insert(at);
        if (instruction->kind != InstructionKind::nop) is_beginning = !instruction->goes_on;
        if (instruction->kind == InstructionKind::direct_jump) blocks_.insert(*instruction->target);
        at = at + instruction->length;
      }
    }
    blocks_.erase(ranges_.front().begin);
  }

  void reach(CodeAddress at, const Holders& holders) {
    if (bytes_at(at).empty()) return;  // another function
    const auto [known, is_new] = before_.emplace(at, holders);
    if (!is_new) {
      Holders both = common(known->second, holders);
      if (both == known->second) return;
      known->second = std::move(both);
    }
    open_.push_back(at);
  }

  /// False if the code cannot be read.
  bool step(CodeAddress at) {
    const Holders before = before_.at(at);
    const std::optional<Instruction> instruction = decode(bytes_at(at), at);
    const std::optional<Effects> effects = effects_of(bytes_at(at));
    if (!instruction || !effects) return false;
    Holders now = after(*effects, at, before);
    const CodeAddress next = at + instruction->length;
    if (instruction->is_call) {
      now.registers &= preserved;
      if (next == return_address_) at_call_ = now;
      if (const std::optional<FrameHandling> frame = frame_handling_at(at)) {
        const CodeAddress pad = handling_of_call(*frame, CodeAddress{value(next) - 1}).landing_pad;
        if (value(pad) != 0) reach(pad, now);
      }
    }
    if (instruction->kind == InstructionKind::direct_jump) reach(*instruction->target, now);
    if (instruction->kind == InstructionKind::indirect_jump) {
      at_table_ = at_table_ ? common(*at_table_, now) : now;
      for (const CodeAddress block : blocks_) reach(block, now);
    }
    if (instruction->goes_on) reach(next, now);
    return true;
  }

  std::span<const CodeRange> ranges_;
  CodeAddress return_address_;
  std::vector<std::vector<std::uint8_t>> bytes_;
  std::set<CodeAddress> blocks_;
  std::map<CodeAddress, Holders> before_;
  std::vector<CodeAddress> open_;
  std::optional<Holders> at_call_;
  std::optional<Holders> at_table_;
};

}  // namespace

std::optional<ValuePlace> place_of_first_argument(std::span<const CodeRange> ranges, CodeAddress return_address) {
  const std::optional<Holders> holders = Search(ranges, return_address).run();
  if (!holders) return std::nullopt;
  for (const Register number : {rbx, internal::rbp, r12, r13, r14, r15})
    if ((holders->registers & bit(number)) != 0) return ValuePlace{.in = number};
  if (holders->slots.empty()) return std::nullopt;
  return ValuePlace{.in = {}, .cfa_offset = *holders->slots.begin()};
}

}  // namespace moult::internal
