// Bringing one thread to a stop and letting it go: a signal whose handler waits.
//
// The stopper asks a thread by sending it a queued real-time signal that carries the number of a slot. The handler
// publishes the thread's registers in the slot and waits until the slot's word changes. All hand-over goes through it:
//
//   vacant --ask (stopper)--> asked --handler--> arriving --handler--> stopped --Release (stopper)--> vacant
//   stopped --Release (stopper)--> led --handler of its traps--> arriving (single_step.hpp)
//   asked, led --withdraw (stopper)--> vacant
//
// The word's upper bits count the uses of the slot. A thread that blocked the signal may run the handler long after the
// stopper gave up: its signal carries the count of that time, so its compare-and-swap fails and it just returns. The
// slots are never freed, for the same reason.
//
// Who may do what: the stopper (one at a time, threads/stopped_world.cpp) owns every field of a slot that is vacant,
// asked, led or stopped; the handler owns them while arriving, where it stays for a few instructions: it writes the
// fields, counts itself as arrived, and gives the slot back with `stopped`. So the stopper never finds half a slot, and
// nobody counts for a stop that is over. The handler allocates nothing, takes no lock, and calls the kernel directly,
// so errno stays as it was.
#pragma once

#include <sys/types.h>
#include <ucontext.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>

#include "base/guarded.hpp"
#include "platform/tasks.hpp"

namespace moult::internal {

/// Where a thread is led to: it has returned to `pc` when its stack pointer is no deeper than `stack_pointer`.
struct Destination {
  std::uint64_t pc = 0;
  std::uint64_t stack_pointer = 0;
};

struct StopSlot {
  std::atomic<std::uint32_t> word{0};  ///< phase in the lower three bits, use count above
  std::uint32_t index = 0;
  pid_t task = 0;
  BlockedCall before;                ///< by the stopper, before the signal
  BlockedCall continued;             ///< by the handler: the call it last made go on; cleared when `task` changes
  Destination destination;           ///< by the stopper, before the thread is led
  ucontext_t* context = nullptr;     ///< by the handler; good while stopped
  LockUse locks;                     ///< by the handler: moult's locks this thread holds
  int uncaught_exceptions = 0;       ///< by the handler: those that this thread has thrown and not caught yet
  bool at_syscall = false;           ///< by the handler: it stands at a system call
  std::atomic<bool> has_left{true};  ///< by the handler: it was let go and is about to run the program's code
};

/// The real-time signal in use; claimed at the first call: the highest one that the program handles in no way.
/// The handler stays installed from then on, since a late signal would end the program. Throws Error (system).
int stop_signal();

/// True where the program has blocked the signal in a thread. In our handler, and in calls of libc that block
/// everything for a moment, the signal that cancels threads is blocked as well, which a program cannot do.
bool is_deaf(const TaskStatus& task);

/// The signals that the handler does not block while it holds a thread: those the program ignores (signal_mask.hpp).
/// Only the stopper calls it, while nobody is asked to stop.
void leave_open(const sigset_t& open) noexcept;

/// Slot number `index`; made when it is first asked for. Only the stopper calls it. Throws std::bad_alloc.
StopSlot& stop_slot(std::uint32_t index);

/// Installs a handler in which threads stop: it blocks what has to wait. False when the system refuses.
bool install_stop_handler(int signal, void (*handler)(int, siginfo_t*, void*)) noexcept;
/// In such a handler: stops this thread, whose slot holds `request`, until it is let go; returns at once when the
/// request was taken back.
void arrive(StopSlot& slot, std::uint32_t request, ucontext_t& context) noexcept;

enum class Asked { sent, gone, failed };
/// Asks `slot.task` to stop. `gone`: there is no such thread any more. `failed`: the signal could not be queued.
Asked ask_to_stop(StopSlot& slot) noexcept;

/// True once the thread has stopped; waits for one that is just arriving.
bool is_stopped(const StopSlot& slot) noexcept;

/// Stops a led thread where it is, should it not have arrived yet: it may wait for what another one holds.
void stop_stepped(StopSlot& slot) noexcept;

/// Takes the request back; false when the thread has stopped in the meantime (it has to be let go, then).
bool withdraw(StopSlot& slot) noexcept;

/// Lets stopped threads go on, all with one system call at its end.
class Release final {
 public:
  Release() = default;
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;
  ~Release();
  /// Adds the slot's thread; waits for one that is just arriving.
  void add(StopSlot& slot) noexcept;
  /// The same for one that is led to `destination`, where it counts as arrived again. can_be_stepped (single_step.hpp).
  void step_out(StopSlot& slot, const Destination& destination) noexcept;

 private:
  void release(StopSlot& slot, std::uint32_t word) noexcept;

  std::uint32_t bits_ = 0;
};

/// Starts a new count of arrivals, before the first request of a stop.
void reset_arrivals() noexcept;
/// How many have stopped since then.
std::uint32_t arrivals() noexcept;
/// Sleeps until `wanted` threads have stopped since reset_arrivals, or `timeout` has passed; true in the first case.
bool await_arrivals(std::uint32_t wanted, std::chrono::nanoseconds timeout) noexcept;

}  // namespace moult::internal
