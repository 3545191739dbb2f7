// Walks one thread's stack from its registers outwards.
//
// The walk is precise as long as every frame has unwind information. Beyond a frame without it (hand-written assembly,
// code made at run time), no frame's place is certain. Then every further word of the stack is reported as a possible
// return address, so that "is this function active?" errs towards yes.
//
// The walk runs in a stopped program. It reads the stack of a stopped thread, allocates nothing and takes no lock.
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

/// Registers code in which the stack always is as at a function's entry, with the return address on top: trampolines.
/// At most 4096 ranges in a process; they stay. From any thread. Throws Error (no_room).
void register_entry_code(CodeRange range);

/// A copied instruction of a function that is executed in place of the original. For every walk, a thread at the copy
/// is at the original.
struct MovedInstruction {
  CodeAddress at{};                       ///< the copy's address
  std::optional<CodeAddress> original{};  ///< nothing: the stack is as at a function's entry
};

/// Registers `code`, whose instructions lie in `range` in ascending order. At most 4096 in a process; they stay. From
/// any thread. Throws Error (no_room), std::bad_alloc.
void register_moved_code(CodeRange range, std::vector<MovedInstruction> code);

/// Whether `address` is in a range that register_entry_code registered.
bool is_entry_code(CodeAddress address) noexcept;

class Unwinder final {
 public:
  Unwinder(RowCache& rows, const Registers& registers) noexcept : rows_(rows), registers_(registers) {}

  /// The walk's present frame; at first the innermost one.
  Frame frame() const noexcept;

  enum class Step {
    stepped,    ///< frame() is the caller now
    outermost,  ///< there is no caller
    lost,       ///< this frame has no unwind information; the search begins at stack_pointer()
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

/// Calls `visit(words)` with the registers, then with the words of the stack from the red zone on. If the walk comes to
/// another stack (a signal's own), that stack's words follow.
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
