// Leaves a call in progress: the thread's stack is unwound out of it, destructors run as for an exception, and another
// function is called in its place.
//
// How: by _Unwind_ForcedUnwind, like thread cancellation (Itanium C++ ABI, exception handling, 1.6.2). Before each
// frame it calls a function of ours, which sees the registers that this frame will have. When the frame is the caller
// of the call to be left, every destructor has run and the registers are those that the caller expects after its call.
// The return address is still where the call has put it. So another function is entered there as if the caller had
// called it. It returns to the caller by itself, with its own kind of result.
//
// A handler for every exception (`catch (...)`) that does not rethrow treats the unwinding as an exception and ends it.
// The runtime then deletes the "exception", and that is how moult notices. The thread continues behind the handler, in
// its old code.
//
// Limits: whether a frame on the way ends the process (noexcept) must be checked before (reboot/unwind_check.hpp).
#pragma once

#include <unwind.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/address.hpp"

namespace moult::internal {

/// A call in progress, and the function to call in its place.
struct Exit {
  std::uint64_t cfa = 0;             ///< the call's CFA: its caller's stack pointer after the return
  CodeAddress successor{};           ///< a function with the same result
  std::uint64_t first_argument = 0;  ///< for a successor that returns its result in memory: the result's address
  bool may_be_handled = false;       ///< a handler for every exception is on the way
};

/// One exit of one thread. The requesting thread and the unwound thread share it, and either may make each call except
/// begin and arrive.
class ForcedUnwind {
 public:
  enum class State : std::uint32_t {
    waiting,    ///< the thread has not begun
    going_on,   ///< destructors are running, or a handler for every exception
    arrived,    ///< the successor has been entered
    handled,    ///< a handler has ended it; the thread continues behind the handler
    not_begun,  ///< it could not begin or was cancelled: the thread continues as if nothing had been requested
  };

  explicit ForcedUnwind(const Exit& exit) noexcept : exit_(exit) {}
  virtual ~ForcedUnwind() = default;
  ForcedUnwind(const ForcedUnwind&) = delete;
  ForcedUnwind& operator=(const ForcedUnwind&) = delete;

  /// Leaves the call. Called in its thread, somewhere inside the call. Returns only if it could not begin or was
  /// cancelled.
  static void begin(std::shared_ptr<ForcedUnwind> unwind);
  /// The exit that the calling thread has just taken. The successor calls it once, before anything else.
  static std::shared_ptr<ForcedUnwind> arrive() noexcept;

  /// Cancels the exit. False if it has begun.
  bool call_off() noexcept;

  State state() const noexcept { return static_cast<State>(state_.load(std::memory_order_acquire)); }
  bool is_over() const noexcept;
  /// Waits until is_over(). False if `deadline` passes before.
  bool await(std::chrono::steady_clock::time_point deadline) const noexcept;
  /// The call in whose frame destructors are running or a handler has ended it.
  CodeAddress last_call() const noexcept { return CodeAddress{last_call_.load(std::memory_order_relaxed)}; }
  /// The thread was handling an exception already, and a handler for every exception on the way would have ended the
  /// process.
  bool was_in_a_handler() const noexcept { return was_in_a_handler_; }

 protected:
  /// Called in its thread when a handler has ended it.
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
  std::shared_ptr<ForcedUnwind> self_;  ///< from begin until it is over, because the stack that holds it goes away
};

}  // namespace moult::internal
