// Return barriers: being told when calls in progress have returned, instead of asking again and again.
//
// After Jvolve (Subramanian, Hicks, McKinley, PLDI 2009): the return address of an active function is exchanged for one
// that leads to the barrier, which tells and goes on to the true caller with the result as it is. Exceptions, threads
// that end and debuggers pass through it as through any frame.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "moult/relinking.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// As wait_quiescence_of_functions, and used in its place: true leaves the program stopped with none of `functions`
/// active. In between it sleeps until the last of the calls that it met has returned, and is awake some microseconds
/// after that. Calls that began meanwhile are waited for in the same way, which need not come to an end where threads
/// take turns in a function: setup_force_quiescence keeps new ones out.
///
/// A call that cannot be told of is looked at from time to time: one on a stack that is not walked precisely, one that
/// was left by longjmp, and one that another function was jumped to from (a tail call returns when that one does).
/// Throws Error: not_found, thread_unstoppable; unsupported on a processor that keeps shadow stacks for the program.
bool wait_return_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience = {},
                              const std::vector<ThreadId>& threads = {});
bool wait_return_of_function(const AnyFunction& function, const Patience& patience = {},
                             const std::vector<ThreadId>& threads = {});

/// The calls of some functions that are in progress when it is made, whatever is called later: so an update that has
/// redefined a function can say when the last call of the old version is over. Usable from any thread, by one at a
/// time.
class ReturnBarrier final {
 public:
  /// Stops the program for the look unless it is stopped. Of each thread the outermost call is told of. The functions'
  /// own code counts, not what they were redefined as. A call that an exception is on its way through counts until it
  /// is left, and if it is not, until that or a later one of its thread has returned. Throws Error: not_found,
  /// thread_unstoppable; unsupported where a call cannot be told of (the calling thread's own, or on a stack that is
  /// not walked precisely), having changed nothing.
  explicit ReturnBarrier(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads = {});
  /// Calls still in progress are let go: that needs a stop of the program, and where it cannot be had the calls return
  /// through the barrier all the same.
  ~ReturnBarrier();
  ReturnBarrier(ReturnBarrier&&) noexcept;
  ReturnBarrier& operator=(ReturnBarrier&&) noexcept;

  /// How many of the calls have not returned yet. Does not wait.
  std::size_t in_progress() const noexcept;
  /// Sleeps until all have returned (true) or `timeout` has passed. A call that longjmp has left is found out about
  /// once a second, by a stop. Not in a stopped program.
  bool wait(std::chrono::milliseconds timeout);

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult
#pragma GCC visibility pop
