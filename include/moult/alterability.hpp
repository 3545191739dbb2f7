// "May it be changed now?": is a function active, and waiting until it is not.
#pragma once

#include <span>
#include <string>
#include <typeinfo>
#include <vector>

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

namespace detail {
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

/// Resumes what the current update has stopped; nothing when the program runs. A manager does it even when an update
/// forgets to.
void resume_suspended_threads();

}  // namespace moult
#pragma GCC visibility pop
