#include "unwind/unwinder.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "base/guarded.hpp"
#include "moult/error.hpp"
#include "platform/mappings.hpp"
#include "unwind/dwarf_expression.hpp"

namespace moult::internal {
namespace {

/// The lock under which the entry code and the moved code grow. Never destroyed.
Guarded<std::monostate>& growth() {
  static auto* const made = new Guarded<std::monostate>;
  return *made;
}

/// Only grows. A walk in a stopped program reads it without the lock.
struct EntryCode {
  static constexpr std::size_t capacity = 4096;
  CodeRange ranges[capacity];
  std::atomic<std::size_t> count{0};
};
constinit EntryCode entry_code;

}  // namespace

bool is_entry_code(CodeAddress address) noexcept {
  std::size_t count = entry_code.count.load(std::memory_order_acquire);
  return std::any_of(entry_code.ranges, entry_code.ranges + count,
                     [address](const CodeRange& range) { return range.contains(address); });
}

namespace {

/// Only grows and is read without the lock, like the entry code.
struct MovedCode {
  static constexpr std::size_t capacity = 4096;
  struct Block {
    CodeRange range;
    std::vector<MovedInstruction> instructions;
  };
  std::atomic<const Block*> blocks[capacity];
  std::atomic<std::size_t> count{0};
};
constinit MovedCode moved_code;

/// Null if `address` is not the beginning of a moved instruction.
const MovedInstruction* moved_instruction_at(CodeAddress address) noexcept {
  const std::size_t count = moved_code.count.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    const MovedCode::Block& block = *moved_code.blocks[i].load(std::memory_order_relaxed);
    if (!block.range.contains(address)) continue;
    for (const MovedInstruction& instruction : block.instructions)
      if (instruction.at == address) return &instruction;
  }
  return nullptr;
}

}  // namespace

void register_moved_code(CodeRange range, std::vector<MovedInstruction> code) {
  // Never freed: a walk may read it at any time.
  const MovedCode::Block* const block = new MovedCode::Block{range, std::move(code)};
  growth().with([block](std::monostate&) {
    const std::size_t count = moved_code.count.load(std::memory_order_relaxed);
    if (count == MovedCode::capacity) {
      delete block;
      throw Error(ErrorCode::no_room, "too many functions have had a gate: " + std::to_string(count));
    }
    moved_code.blocks[count].store(block, std::memory_order_relaxed);
    moved_code.count.store(count + 1, std::memory_order_release);
  });
}

void register_entry_code(CodeRange range) {
  growth().with([range](std::monostate&) {
    std::size_t count = entry_code.count.load(std::memory_order_relaxed);
    if (count == EntryCode::capacity)
      throw Error(ErrorCode::no_room, "too many trampoline areas: " + std::to_string(count) + " are in use");
    entry_code.ranges[count] = range;
    entry_code.count.store(count + 1, std::memory_order_release);
  });
}

/// A wrong rule, as in hand-written assembly, may lead anywhere. So each page is tried before it is read. Memory that
/// the address sanitizer guards is read all the same.
[[gnu::no_sanitize_address]] bool Unwinder::read_word(std::uint64_t address, std::uint64_t& word) noexcept {
  constexpr std::uint64_t page_size = 4096;
  if (address < page_size || address % sizeof word != 0) return false;
  if (address / page_size != readable_page_ && !is_readable(address)) return false;
  readable_page_ = address / page_size;
  std::memcpy(&word, reinterpret_cast<const void*>(address), sizeof word);
  return true;
}

/// No call returns to a moved instruction. A thread can be at one only if it was interrupted there.
Frame Unwinder::frame() const noexcept {
  Frame frame{CodeAddress{registers_[rip]}, is_return_address_, true, registers_[rsp]};
  if (is_return_address_) return frame;
  const MovedInstruction* moved = moved_instruction_at(frame.pc);
  if (moved != nullptr && moved->original) frame.pc = *moved->original;
  return frame;
}

Unwinder::Step Unwinder::step() noexcept {
  std::uint64_t pc = registers_[rip];
  if (pc == 0) return is_return_address_ ? Step::outermost : step_from_entry();
  if (!is_return_address_) {
    const MovedInstruction* moved = moved_instruction_at(CodeAddress{pc});
    if (moved != nullptr && !moved->original) return step_from_entry();
    if (moved != nullptr) pc = value(*moved->original);
  }
  CodeAddress address{is_return_address_ ? pc - 1 : pc};
  const PlainRow& plain = rows_.find(address);
  if (plain.state == PlainRow::State::plain) return apply(plain);
  Row row;
  if (plain.state == PlainRow::State::other && find_row(address, row)) return apply(row);
  return is_entry_code(CodeAddress{pc}) ? step_from_entry() : Step::lost;
}

Unwinder::Step Unwinder::apply(const PlainRow& row) noexcept {
  std::uint64_t cfa = registers_[row.cfa_register] + static_cast<std::uint64_t>(std::int64_t{row.cfa_offset});
  std::uint64_t return_address;
  if (cfa <= registers_[rsp] || !read_word(cfa - 8, return_address)) return Step::lost;
  for (std::size_t i = 0; i < row.offsets.size(); ++i) {
    if (row.offsets[i] == 0) continue;
    std::uint64_t place = cfa + static_cast<std::uint64_t>(std::int64_t{row.offsets[i]});
    if (!read_word(place, registers_[PlainRow::preserved[i]])) return Step::lost;
  }
  registers_[rsp] = cfa;
  registers_[rip] = return_address;
  is_return_address_ = true;
  return return_address == 0 ? Step::outermost : Step::stepped;
}

/// The stack is as at a function's entry, also after a call of a null pointer.
Unwinder::Step Unwinder::step_from_entry() noexcept {
  std::uint64_t return_address;
  if (!read_word(registers_[rsp], return_address)) return Step::lost;
  registers_[rsp] += sizeof return_address;
  registers_[rip] = return_address;
  is_return_address_ = true;
  return Step::stepped;
}

Unwinder::Step Unwinder::apply(const Row& row) noexcept {
  if (row.registers[rip].kind == RegisterRule::Kind::undefined) return Step::outermost;
  std::uint64_t cfa;
  if (row.cfa_expression != nullptr) {
    if (!evaluate_expression(row.cfa_expression, registers_, false, 0, cfa)) return Step::lost;
  } else {
    if (row.cfa_register >= register_count) return Step::lost;
    cfa = registers_[row.cfa_register] + static_cast<std::uint64_t>(std::int64_t{row.cfa_offset});
  }
  // The stack only grows outwards, except where a signal was handled on a stack of its own. Anything else is a broken
  // rule, and following it might never end.
  if (!row.is_signal_frame && cfa <= registers_[rsp]) return Step::lost;
  Registers caller = registers_;
  caller[rsp] = cfa;
  for (std::size_t number = 0; number < register_count; ++number) {
    const RegisterRule& rule = row.registers[number];
    if (rule.kind == RegisterRule::Kind::same || rule.kind == RegisterRule::Kind::undefined) continue;
    if (!caller_value(rule, cfa, caller[number])) return Step::lost;
  }
  registers_ = caller;
  is_return_address_ = !row.is_signal_frame;
  return registers_[rip] == 0 ? Step::outermost : Step::stepped;
}

bool Unwinder::caller_value(const RegisterRule& rule, std::uint64_t cfa, std::uint64_t& word) noexcept {
  std::uint64_t offset = static_cast<std::uint64_t>(std::int64_t{rule.offset});
  std::uint64_t address;
  switch (rule.kind) {
    case RegisterRule::Kind::at_cfa: return read_word(cfa + offset, word);
    case RegisterRule::Kind::is_cfa: word = cfa + offset; return true;
    case RegisterRule::Kind::in_register:
      if (offset >= register_count) return false;
      word = registers_[offset];
      return true;
    case RegisterRule::Kind::at_expression:
      return evaluate_expression(rule.expression, registers_, true, cfa, address) && read_word(address, word);
    case RegisterRule::Kind::is_expression: return evaluate_expression(rule.expression, registers_, true, cfa, word);
    default: return false;
  }
}

namespace {

/// The words from `begin` to the end of the mapping, which may include other memory: no stack in use is deeper.
std::span<const std::uint64_t> words_from(std::uint64_t begin) noexcept {
  constexpr std::uint64_t most_bytes = std::uint64_t{64} << 20;
  begin = (begin + 7) & ~std::uint64_t{7};
  std::uint64_t end = std::min<std::uint64_t>(readable_until(begin), begin + most_bytes);
  if (end < begin + 8) return {};
  return {reinterpret_cast<const std::uint64_t*>(begin), (end - begin) / 8};
}

/// The red zone: a function that calls no other may use this many bytes below its stack pointer (psABI, 3.2.2).
constexpr std::uint64_t red_zone = 128;

}  // namespace

/// Not checked by the address sanitizer, whose markers lie between the variables of the stack.
__attribute__((no_sanitize("address"))) void walk_words(std::uint64_t stack_pointer, bool (*visit)(void*, const Frame&),
                                                        void* data) {
  for (const std::uint64_t& word : words_from(stack_pointer))
    if (!visit(data, Frame{CodeAddress{word}, true, false, 0})) return;
}

void visit_words(RowCache& rows, const Registers& registers,
                 const std::function<void(std::span<const std::uint64_t>)>& visit) noexcept {
  visit(registers);
  std::span<const std::uint64_t> stack;
  Unwinder unwinder(rows, registers);
  do {
    std::uint64_t top = unwinder.stack_pointer();
    auto place = reinterpret_cast<const std::uint64_t*>(top);
    if (!stack.empty() && stack.data() <= place && place < stack.data() + stack.size()) continue;
    stack = words_from(is_readable(top - red_zone) ? top - red_zone : top);
    visit(stack);
  } while (unwinder.step() == Unwinder::Step::stepped);
}

}  // namespace moult::internal
