// Stops one thread and releases it: a signal whose handler waits.
//
// The stopping thread asks a thread by sending it a queued real-time signal that carries the number of a slot. The
// handler publishes the thread's registers in the slot and waits until the slot's word changes. The word passes the
// slot from one to the other:
//
//   vacant --ask (stopper)--> asked --handler--> arriving --handler--> stopped --Release (stopper)--> vacant
//   stopped --Release (stopper)--> stepping --handler of its traps--> arriving
//   asked, stepping --withdraw (stopper)--> vacant
//
// The word's upper bits count the uses of the slot. A thread that blocked the signal may run the handler long after the
// stopper gave up. Its signal carries the count of that time, so its compare-and-swap fails and it just returns. For
// the same reason the slots are never freed.
//
// The stopper (one at a time, threads/stopped_world.cpp) owns every field of a slot that is vacant, asked, stepping or
// stopped. The handler owns them while arriving, for a few instructions: it writes the fields, counts itself as arrived
// and returns the slot with `stopped`. So the stopper never finds half a slot, and no thread counts for a stop that is
// over. The handler allocates nothing, takes no lock and calls the kernel directly, so errno is not changed.
//
// Stepping a stopped thread out to a safepoint, one instruction after the other.
//
// Why: a thread that does little but print is hardly ever found outside of stdio by chance. Releasing it for a moment
// and asking again may take a second, while all others stand still.
//
// How: the thread continues with the processor's trap flag set. After each instruction the kernel raises SIGTRAP in it,
// and the handler checks whether it has reached its destination. There it stops again, as for a request by signal.
//
// Limits: a blocked trap would end the process. So only a thread with SIGTRAP unblocked is stepped. It stops where it
// is before a system call that may block the trap or create a thread or process. It also stops if it has not arrived
// within `most_steps`, for example because it left by an exception. Other uses of SIGTRAP are left alone: no thread is
// stepped if the program handles SIGTRAP or a debugger is attached, and an int3 ends the program as it would have.
//
// A thread whose request was withdrawn (stop_signal.hpp) finds that at its next trap and continues without the flag.
// That may be long after the stop, so the handler stays installed.
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

/// A stepped thread's destination: it has returned to `pc` when its stack pointer is no deeper than `stack_pointer`.
struct Destination {
  std::uint64_t pc = 0;
  std::uint64_t stack_pointer = 0;
};

struct StopSlot {
  std::atomic<std::uint32_t> word{0};  ///< the phase in the lower three bits, the use count above
  std::uint32_t index = 0;
  pid_t task = 0;
  BlockedCall before;                ///< by the stopper, before the signal
  BlockedCall continued;             ///< by the handler: the call that it last continued; cleared when `task` changes
  Destination destination;           ///< by the stopper, before the thread is stepped
  ucontext_t* context = nullptr;     ///< by the handler; valid while stopped
  LockUse locks;                     ///< by the handler: moult's locks this thread holds
  int uncaught_exceptions = 0;       ///< by the handler: exceptions that this thread has thrown and not caught yet
  bool at_syscall = false;           ///< by the handler: the thread is at a system call
  std::atomic<bool> has_left{true};  ///< by the handler: the thread was released and is about to run the program's code
};

/// The real-time signal in use. The first call claims the highest signal that the program does not handle. The handler
/// stays installed from then on, because a late signal would end the program. The first thread of moult's own that is
/// made needs the signal too, for its mask: that may be long before the first stop. Throws Error (system).
int stop_signal();

/// The same; 0 if none has been claimed yet.
int claimed_stop_signal() noexcept;

/// True if the program has blocked the signal in a thread. In moult's handler, and in libc calls that block every
/// signal for a moment, the signal that cancels threads is blocked as well. A program cannot block that one.
bool is_deaf(const TaskStatus& task);

/// The signals that the handler does not block while it holds a thread: those that the program ignores
/// (signal_mask.hpp). Only the stopper calls it, while no thread is asked to stop.
/// False, and nothing is changed, if the program has given the signal a handler of its own.
[[nodiscard]] bool leave_open(const sigset_t& open) noexcept;

/// Slot number `index`, made at the first call. Only the stopper calls it. Throws std::bad_alloc.
StopSlot& stop_slot(std::uint32_t index);

/// Installs a handler in which threads stop. It blocks the signals that must wait. False if the system refuses.
bool install_stop_handler(int signal, void (*handler)(int, siginfo_t*, void*)) noexcept;
/// In such a handler: stops this thread, whose slot holds `request`, until it is released. Returns at once if the
/// request was withdrawn.
void arrive(StopSlot& slot, std::uint32_t request, ucontext_t& context) noexcept;

enum class Asked {
  sent,
  gone,       ///< there is no such thread any more
  full,       ///< too many signals are queued
  forbidden,  ///< the kernel refuses the system call
};
/// Asks `slot.task` to stop.
Asked ask_to_stop(StopSlot& slot) noexcept;

/// Takes the kernel's way of a request without one, so that the first request of a stop finds it in the processor's
/// caches.
void rehearse_request() noexcept;

/// True once the thread has stopped; waits for one that is just arriving.
bool is_stopped(const StopSlot& slot) noexcept;

/// Stops a stepped thread where it is if it has not arrived yet: it may wait for something that another thread holds.
void stop_stepped(StopSlot& slot) noexcept;

/// Whether the call is the one in which a stopped thread waits: what it was doing before has nothing to do with it.
bool is_wait_for_release(const BlockedCall& call) noexcept;

/// Withdraws the request. False if the thread has stopped meanwhile; then it must be released.
bool withdraw(StopSlot& slot) noexcept;

/// Releases stopped threads, all with one system call in its destructor.
class Release final {
 public:
  Release() = default;
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;
  ~Release();
  /// Adds the slot's thread; waits for one that is just arriving.
  void add(StopSlot& slot) noexcept;
  /// The same for a thread that is stepped to `destination`, where it counts as arrived again. Requires can_be_stepped.
  void step_out(StopSlot& slot, const Destination& destination) noexcept;

 private:
  void release(StopSlot& slot, std::uint32_t word) noexcept;

  std::uint32_t bits_ = 0;
};

/// Starts a new count of arrivals, before the first request of a stop.
void reset_arrivals() noexcept;
/// How many threads have stopped since then.
std::uint32_t arrivals() noexcept;
/// Sleeps until `wanted` threads have stopped since reset_arrivals, or `timeout` has passed; true in the first case.
bool await_arrivals(std::uint32_t wanted, std::chrono::nanoseconds timeout) noexcept;

inline constexpr std::uint32_t most_steps = 30'000;

/// Whether threads can be stepped: SIGTRAP is moult's, or was unused. Only the stopping thread calls it.
bool claim_traps() noexcept;

/// Whether the stopped thread of `slot` can be stepped from where it is.
bool can_be_stepped(const StopSlot& slot) noexcept;

/// For a thread that was released with a destination, in its handler of the stop signal: makes it trap after each
/// instruction. The slot's word equals `request` as long as the request stands. Async-signal-safe.
void begin_steps(StopSlot& slot, std::uint32_t request, ucontext_t& context) noexcept;
/// The interrupted code of this thread continues without traps. Does nothing if there were none. Async-signal-safe.
void end_steps(ucontext_t& context) noexcept;

}  // namespace moult::internal
