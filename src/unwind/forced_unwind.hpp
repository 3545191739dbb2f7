// Leaving a call that is in progress: the stack of the thread is unwound out of it, destructors run as for an
// exception, and something else is called in its place.
//
// How: _Unwind_ForcedUnwind, as thread cancellation does it (Itanium C++ ABI, exception handling, 1.6.2). Before each
// frame it asks a function of ours, which sees the registers as that frame will have them. When that is the caller of
// the call to be left, every destructor has run; the registers are those that the caller expects after its call; and
// the return address still lies where the call has put it. So another function is entered there as if the caller had
// called it, and returns to the caller, with its own kind of result, by itself.
//
// A handler for everything (`catch (...)`) that does not throw on takes the unwinding for an exception and ends it. The
// runtime then deletes the "exception", which is how it is noticed. The thread goes on behind the handler, in its old
// code.
//
// Limits: whether a frame on the way ends the process (noexcept) has to be looked at before (alterability/exits.hpp).
#pragma once

#include <unwind.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/address.hpp"

namespace moult::internal {

/// A call in progress, and what is to be called in its place.
struct Exit {
  std::uint64_t cfa = 0;             ///< of the frame of that call: its caller's stack pointer after the return
  CodeAddress successor{};           ///< a function with the same result
  std::uint64_t first_argument = 0;  ///< for the successor: where its result is to go, for one that returns in memory
  bool may_be_handled = false;       ///< a handler for everything is on the way
};

/// One exit of one thread. Shared by who asks for it and by the thread; each call may be made by either, but for begin
/// and arrive.
class ForcedUnwind {
 public:
  enum class State : std::uint32_t {
    waiting,    ///< the thread has not begun
    going_on,   ///< destructors run, or a handler for everything
    arrived,    ///< the successor has been entered
    handled,    ///< a handler has ended it; the thread goes on behind that
    not_begun,  ///< it could not begin, or was called off: the thread goes on as if nothing had been asked
  };

  explicit ForcedUnwind(const Exit& exit) noexcept : exit_(exit) {}
  virtual ~ForcedUnwind() = default;
  ForcedUnwind(const ForcedUnwind&) = delete;
  ForcedUnwind& operator=(const ForcedUnwind&) = delete;

  /// Leaves the call; in its thread, somewhere further in. Returns only when it could not begin, or was called off.
  static void begin(std::shared_ptr<ForcedUnwind> unwind);
  /// The one that the calling thread has just gone through: to be called once, first of all, by the successor.
  static std::shared_ptr<ForcedUnwind> arrive() noexcept;

  /// It will not begin any more; false when it has.
  bool call_off() noexcept;

  State state() const noexcept { return static_cast<State>(state_.load(std::memory_order_acquire)); }
  bool is_over() const noexcept;
  /// Waits until is_over(); false when `deadline` passes before.
  bool await(std::chrono::steady_clock::time_point deadline) const noexcept;
  /// The call in whose frame destructors run or a handler has ended it; why it could not begin is not among these.
  CodeAddress last_call() const noexcept { return CodeAddress{last_call_.load(std::memory_order_relaxed)}; }
  /// The thread was handling an exception already, and a handler for everything on the way would have ended the
  /// process.
  bool was_in_a_handler() const noexcept { return was_in_a_handler_; }

 protected:
  /// In its thread, when a handler has ended it.
  virtual void on_handled() noexcept {}

 private:
  struct Exception {
    _Unwind_Exception header;
    ForcedUnwind* owner;
  };

  static _Unwind_Reason_Code on_frame(int version, _Unwind_Action actions, _Unwind_Exception_Class kind,
                                      _Unwind_Exception* exception, _Unwind_Context* context, void* self);
  static void on_delete(_Unwind_Reason_Code reason, _Unwind_Exception* exception);
  [[noreturn]] void enter_successor(_Unwind_Context* context) noexcept;
  void move_to(State state) noexcept;
  bool move(State from, State to) noexcept;

  const Exit exit_;
  Exception exception_{};
  std::atomic<std::uint32_t> state_{0};
  std::atomic<std::uintptr_t> last_call_{0};
  bool was_in_a_handler_ = false;
  std::shared_ptr<ForcedUnwind> self_;  ///< from begin until it is over: the stack that holds it goes away
};

}  // namespace moult::internal
