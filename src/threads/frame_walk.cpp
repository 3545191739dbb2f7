// Limits: registers that calls preserve are known in every frame. The others, vector registers among them, are known
// only in the innermost frame and in a frame that a signal interrupted (there without vectors). Values that a
// compiler's inter-procedural register allocation (-fipa-ra) leaves in the others count as lost.
#include "threads/frame_walk.hpp"

#include <algorithm>
#include <cstring>

#include "platform/memory.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "unwind/dwarf_expression.hpp"
#include "unwind/unwind_table.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

using Kind = RegisterPlace::Kind;

bool read_word(std::uint64_t address, std::uint64_t& word) noexcept {
  return address % sizeof word == 0 &&
         read_memory(address, std::as_writable_bytes(std::span<std::uint64_t, 1>(&word, 1)));
}

constexpr bool is_preserved(std::size_t number) noexcept {
  return std::find(PlainRow::preserved.begin(), PlainRow::preserved.end(), number) != PlainRow::preserved.end();
}

class FrameWalker final {
 public:
  /// At first only the registers that `is_known` denies are lost.
  FrameWalker(const Registers& registers, Kind kind, bool (*is_known)(std::size_t)) noexcept {
    state_.registers = registers;
    for (std::size_t number = 0; number < register_count; ++number)
      if (is_known(number)) state_.places[number] = {kind, 0};
    state_.places[rsp].kind = state_.places[rip].kind = Kind::computed;
  }

  /// Call it once for each frame, before state() is used.
  void look() noexcept {
    state_.frame = {CodeAddress{state_.registers[rip]}, is_return_address_, true};
    state_.cfa = 0;
    state_.has_plain_cfa = false;
    has_row_ = value(state_.frame.pc) != 0 && find_row(state_.frame.lookup_address(), row_) && find_cfa();
  }
  const FrameState& state() const noexcept { return state_; }

  Unwinder::Step step() noexcept {
    std::uint64_t pc = value(state_.frame.pc);
    if (pc == 0) return is_return_address_ ? Unwinder::Step::outermost : step_from_entry();
    if (has_row_) return apply();
    return is_entry_code(CodeAddress{pc}) ? step_from_entry() : Unwinder::Step::lost;
  }

 private:
  bool find_cfa() noexcept {
    if (row_.cfa_expression != nullptr)
      return evaluate_expression(row_.cfa_expression, state_.registers, false, 0, state_.cfa);
    if (row_.cfa_register >= register_count) return false;
    state_.cfa_register = row_.cfa_register;
    state_.cfa_offset = row_.cfa_offset;
    state_.has_plain_cfa = true;
    state_.cfa = state_.registers[row_.cfa_register] + static_cast<std::uint64_t>(std::int64_t{row_.cfa_offset});
    return true;
  }

  void leave_call() noexcept {
    for (std::size_t number = 0; number < register_count; ++number)
      if (!is_preserved(number)) state_.places[number] = {};
  }

  void return_to(std::uint64_t address, std::uint64_t stack_pointer) noexcept {
    state_.registers[rsp] = stack_pointer;
    state_.registers[rip] = address;
    state_.places[rsp].kind = state_.places[rip].kind = Kind::computed;
  }

  Unwinder::Step step_from_entry() noexcept {
    std::uint64_t stack_pointer = state_.registers[rsp];
    std::uint64_t return_address;
    if (!read_word(stack_pointer, return_address)) return Unwinder::Step::lost;
    leave_call();
    return_to(return_address, stack_pointer + sizeof return_address);
    is_return_address_ = true;
    return Unwinder::Step::stepped;
  }

  Unwinder::Step apply() noexcept {
    if (row_.registers[rip].kind == RegisterRule::Kind::undefined) return Unwinder::Step::outermost;
    // As in the plain walk, a stack that does not grow outwards means a broken rule.
    if (!row_.is_signal_frame && state_.cfa <= state_.registers[rsp]) return Unwinder::Step::lost;
    FrameState inner = state_;
    leave_call();
    for (std::size_t number = 0; number < register_count; ++number)
      if (!follow(row_.registers[number], number, inner)) return Unwinder::Step::lost;
    const RegisterRule::Kind stack_rule = row_.registers[rsp].kind;
    const bool has_own_stack = stack_rule != RegisterRule::Kind::same && stack_rule != RegisterRule::Kind::undefined;
    return_to(state_.registers[rip], has_own_stack ? state_.registers[rsp] : inner.cfa);
    is_return_address_ = !row_.is_signal_frame;
    return state_.registers[rip] == 0 ? Unwinder::Step::outermost : Unwinder::Step::stepped;
  }

  bool follow(const RegisterRule& rule, std::size_t number, const FrameState& inner) noexcept {
    const std::uint64_t offset = static_cast<std::uint64_t>(std::int64_t{rule.offset});
    std::uint64_t& word = state_.registers[number];
    RegisterPlace& place = state_.places[number];
    std::uint64_t address = inner.cfa + offset;
    switch (rule.kind) {
      case RegisterRule::Kind::same: return true;
      case RegisterRule::Kind::undefined: place = {}; return true;
      case RegisterRule::Kind::at_expression:
        if (!evaluate_expression(rule.expression, inner.registers, true, inner.cfa, address)) return false;
        [[fallthrough]];
      case RegisterRule::Kind::at_cfa: place = {Kind::stored, address}; return read_word(address, word);
      case RegisterRule::Kind::is_cfa:
        place = {Kind::computed, 0};
        word = address;
        return true;
      case RegisterRule::Kind::in_register:
        if (offset >= register_count) return false;
        place = inner.places[offset];
        word = inner.registers[offset];
        return true;
      case RegisterRule::Kind::is_expression:
        place = {Kind::computed, 0};
        return evaluate_expression(rule.expression, inner.registers, true, inner.cfa, word);
    }
    return false;
  }

  FrameState state_;
  Row row_;
  bool has_row_ = false;
  bool is_return_address_ = false;
};

WalkEnd walk(FrameWalker walker, const std::function<bool(const FrameState&)>& visit) {
  for (;;) {
    walker.look();
    if (!visit(walker.state())) return WalkEnd::stopped;
    Unwinder::Step step = walker.step();
    if (step == Unwinder::Step::outermost) return WalkEnd::outermost;
    if (step == Unwinder::Step::lost) return WalkEnd::lost;
  }
}

/// The red zone: a function that calls no other may use this many bytes below its stack pointer (psABI, 3.2.2).
constexpr std::uint64_t red_zone = 128;

}  // namespace

WalkEnd walk_own_frames(const std::function<bool(const FrameState&)>& visit) {
  return walk(FrameWalker(current_registers(), Kind::computed, [](std::size_t number) { return is_preserved(number); }),
              visit);
}

WalkEnd walk_frames(const StoppedWorld& stopped, ThreadId thread, const std::function<bool(const FrameState&)>& visit) {
  if (thread == this_thread_id()) return walk_own_frames(visit);
  const ucontext_t* context = stopped.context(thread);
  if (context == nullptr) return WalkEnd::lost;
  return walk(FrameWalker(registers_of(*context), Kind::context, [](std::size_t) { return true; }), visit);
}

StackCopy StackCopy::of(const StoppedWorld& stopped, ThreadId thread, std::size_t most_frames) {
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 20;
  constexpr std::uint64_t stack_arguments = 256;  // of the outermost frame, beyond its CFA
  StackCopy copy;
  copy.thread_ = thread;
  copy.frames_.reserve(std::min<std::size_t>(most_frames, 64));
  WalkEnd end = walk_frames(stopped, thread, [&](const FrameState& state) {
    if (!is_in_return_stub(state.frame.pc)) copy.frames_.push_back(state);
    return copy.frames_.size() < most_frames;
  });
  copy.is_whole_ = end == WalkEnd::outermost;
  if (copy.frames_.empty()) return copy;
  if (const ucontext_t* context = stopped.context(thread)) {
    std::span<const std::uint64_t> vectors = vector_words_of(*context);
    copy.vectors_.assign(vectors.begin(), vectors.end());
  }
  copy.begin_ = copy.frames_.front().registers[rsp] - red_zone;
  std::uint64_t last = copy.begin_;
  for (const FrameState& state : copy.frames_)
    if (state.cfa > last && state.cfa - copy.begin_ <= most_bytes) last = state.cfa;
  copy.bytes_.resize(last - copy.begin_ + stack_arguments);
  if (read_memory(copy.begin_, copy.bytes_)) return copy;
  copy.bytes_.resize(last - copy.begin_);  // the outermost frame may end where the stack does
  if (!read_memory(copy.begin_, copy.bytes_)) copy.bytes_.clear();
  return copy;
}

bool StackCopy::read(std::uintptr_t address, std::span<std::byte> to) const noexcept {
  if (address < begin_ || address - begin_ > bytes_.size() || to.size() > bytes_.size() - (address - begin_))
    return false;
  if (!to.empty()) std::memcpy(to.data(), bytes_.data() + (address - begin_), to.size());
  return true;
}

}  // namespace moult::internal
