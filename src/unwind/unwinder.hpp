// Walks one thread's stack from its registers outwards.
//
// Precise as long as every frame has unwind information. From a frame without it (hand-written assembly, code made at
// run time) no frame's place is certain: then every further word of the stack is reported as a possible return address,
// so that "is this function active?" errs on the side of yes.
//
// The walk runs in a stopped program: it reads the stack of a stopped thread, allocates nothing and takes no lock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "base/address.hpp"
#include "platform/x86_64/context.hpp"
#include "unwind/frame.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {

/// Declares code in which the stack always is as at a function's entry (the return address on top): trampolines. At
/// most 4096 such ranges a process; they stay. From any thread. Throws Error (no_room).
void register_entry_code(CodeRange range);

/// Copies of a function's instructions that are executed in their place. A thread that stands in one stands in the
/// function, for all who look at its stack.
struct MovedInstruction {
  CodeAddress at{};                       ///< where the copy is
  std::optional<CodeAddress> original{};  ///< nothing: the stack is as at a function's entry
};

/// Declares `code`, whose instructions lie in `range` in ascending order. At most 4096 a process; they stay. From any
/// thread. Throws Error (no_room), std::bad_alloc.
void register_moved_code(CodeRange range, std::vector<MovedInstruction> code);

/// True inside of what was declared so.
bool is_entry_code(CodeAddress address) noexcept;

class Unwinder final {
 public:
  Unwinder(RowCache& rows, const Registers& registers) noexcept : rows_(rows), registers_(registers) {}

  /// Where the walk stands; at first the innermost frame.
  Frame frame() const noexcept;

  enum class Step {
    stepped,    ///< frame() is the caller now
    outermost,  ///< there is no caller
    lost,       ///< this frame has no unwind information; stack_pointer() is where the search has to begin
  };
  Step step() noexcept;

  std::uint64_t stack_pointer() const noexcept { return registers_[internal::rsp]; }

 private:
  Step step_from_entry() noexcept;
  Step apply(const PlainRow& row) noexcept;
  Step apply(const Row& row) noexcept;
  bool caller_value(const RegisterRule& rule, std::uint64_t cfa, std::uint64_t& word) noexcept;
  bool read_word(std::uint64_t address, std::uint64_t& word) noexcept;

  RowCache& rows_;
  Registers registers_;
  std::uint64_t readable_page_ = 0;  ///< the number of the page last read; 0: none yet
  bool is_return_address_ = false;
};

/// Calls `visit(words)` with the registers, then with the words of the stack from the red zone on; where the walk comes
/// to another stack (a signal's own), with those of that one too.
void visit_words(RowCache& rows, const Registers& registers,
                 const std::function<void(std::span<const std::uint64_t>)>& visit) noexcept;

/// Calls `visit(frame)` for every frame, then for every word that may be one, until it returns false.
template <class Visit>
void walk_stack(RowCache& rows, const Registers& registers, Visit&& visit);

/// The words of the stack from `stack_pointer` on, as frames that are not precise.
void walk_words(std::uint64_t stack_pointer, bool (*visit)(void*, const Frame&), void* data);

template <class Visit>
void walk_stack(RowCache& rows, const Registers& registers, Visit&& visit) {
  Unwinder unwinder(rows, registers);
  for (;;) {
    if (!visit(unwinder.frame())) return;
    Unwinder::Step step = unwinder.step();
    if (step == Unwinder::Step::outermost) return;
    if (step == Unwinder::Step::lost) break;
  }
  auto forward = [](void* data, const Frame& frame) {
    return static_cast<bool>((*static_cast<std::remove_reference_t<Visit>*>(data))(frame));
  };
  walk_words(unwinder.stack_pointer(), forward, const_cast<void*>(static_cast<const void*>(std::addressof(visit))));
}

}  // namespace moult::internal
