// "May it be changed now?": is a function active, and waiting until it is not.
#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "moult/detail/abi.hpp"
#include "moult/relinking.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// True when a call of `function` is on the stack of `thread`. Stops the program for the look unless it is stopped.
/// Precise where the frames have unwind information; a stack with a frame that has none counts the function as active
/// when any word of the rest of that stack points into it. Pieces that the compiler split off (.cold, .part, ...)
/// count. What the function was redefined as does not: that is a function of its own.
bool is_function_in_stack(const AnyFunction& function, ThreadId thread);

/// The same for the stacks of `threads`, or of every thread when none is named, the caller's included.
bool is_function_in_any_stack(const AnyFunction& function, const std::vector<ThreadId>& threads = {});

namespace detail::inline MOULT_ABI_NAMESPACE {
bool is_class_in_any_stack(const std::type_info& type, const std::vector<ThreadId>& threads);
}

/// True when a call of a member function of `Class` (constructors, destructors, operators and static functions
/// included) is on the stack of one of `threads`, or of any thread when none is named, or when one of these stands in a
/// copy of such a function that was inlined into its caller. Copies are known by debug information; a small one may
/// have left no trace in it. Reads the program's debug information, then stops the program for the look unless it is
/// stopped. Throws Error: not_found when no code of the class is known at all, thread_unstoppable. After Pymoult.
template <class Class>
bool is_class_in_any_stack(const std::vector<ThreadId>& threads = {}) {
  return detail::is_class_in_any_stack(typeid(Class), threads);
}

/// Stops the program; when none of `functions` is active in any of `threads` (none named: in any) leaves it stopped and
/// returns true, otherwise resumes it and returns false. A call that goes on in a version that the function was
/// redefined as is a call of it. Only from a step of an update: the manager resumes the program
/// at its time, or resume_suspended_threads does in resume_hook. Throws Error: thread_unstoppable.
bool check_quiescence_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience = {},
                                   const std::vector<ThreadId>& threads = {});
bool check_quiescence_of_function(const AnyFunction& function, const Patience& patience = {},
                                  const std::vector<ThreadId>& threads = {});

/// Probes until it holds, from about 1 ms apart up to patience.sleep_time, for max_tries * sleep_time as a whole. On
/// false the update's reason names the thread and the frames that kept a function active.
bool wait_quiescence_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience = {},
                                  const std::vector<ThreadId>& threads = {});
bool wait_quiescence_of_function(const AnyFunction& function, const Patience& patience = {},
                                 const std::vector<ThreadId>& threads = {});

/// Forced quiescence: from here on new calls of `functions` wait at the entry. Calls from a thread that is inside one
/// of them already pass, recursive ones and those from one function of the set to another, so that everybody inside
/// comes out; so do calls of the update's own. Only from a step of an update, as a rule preupdate_setup; once at a time
/// in an update. Stops the program to close the entries, for at most patience.stop_timeout.
///
/// The entries are opened, and what waited goes on in what the function is by then: at the end of the stop in which
/// wait_force_quiescence or check_force_quiescence found quiescence; by the clean functions; and with the update, when
/// it fails, is postponed or its manager ends. After Pymoult; recursion is told by the thread's own stack.
///
/// A thread may wait while it holds locks of the program. If somebody inside needs one, quiescence is not reached, and
/// everybody goes on when the update's patience is at its end. Throws Error before anything is changed: not_found;
/// inlined, for calls of copies would not wait; too_short, unsupported_code, no_room; still_active when another update
/// keeps calls of one of them waiting; invalid_argument; thread_unstoppable; unsupported, where the processor keeps
/// shadow stacks.
void setup_force_quiescence(const std::vector<AnyFunction>& functions, const Patience& patience = {});
/// The same for one function, without braces.
template <class F>
requires std::is_convertible_v<const F&, AnyFunction>
void setup_force_quiescence(const F& function, const Patience& patience = {}) {
  setup_force_quiescence(std::vector<AnyFunction>{function}, patience);
}

/// Sleeps until the last call inside has returned, told by return barriers (return_barrier.hpp). True leaves the
/// program stopped with none of the functions active. False: patience has run out; the entries are open again and the
/// update's reason says who was inside. Throws Error: invalid_argument without a setup before, thread_unstoppable.
bool wait_force_quiescence(const Patience& patience = {});
/// One probe of the same, for inline managers. After false the entries stay closed.
bool check_force_quiescence(const Patience& patience = {});

/// Opens the entries and takes the jumps away, in the current stop or one of its own; nothing when that is done
/// already. Throws Error (thread_unstoppable); the entries are open all the same.
void clean_force_quiescence();
/// The same for clean_failed_alterability. Does not throw: what cannot be taken away now, the manager takes away.
void clean_failed_force_quiescence() noexcept;

/// Resumes what the current update has stopped; nothing when the program runs. A manager does it even when an update
/// forgets to.
void resume_suspended_threads();

}  // namespace moult
#pragma GCC visibility pop
