// Alterability: whether the program may be changed now, and the waits until it may.
//
//   bool wait_alterability() override {                            // a step of an update
//     return moult::wait_quiescence_of_function(&app::handle, patience());
//   }                                                              // true: stopped, and no call of app::handle
//
// Quiescence means that no stack holds a call of a function. After OPUS (Altekar and others, 2005) and Ksplice (Arnold
// and Kaashoek, EuroSys 2009).
#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "moult/detail/abi.hpp"
#include "moult/detail/type_of.hpp"
#include "moult/relinking.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// True when a call of `function` is on the stack of `thread`. Stops the program for the check unless it is stopped.
///
/// Precise where the frames have unwind information. Behind a frame without it, any word of the rest of the stack that
/// points into the function counts. Fragments that the compiler split off (.cold, .part, ...) belong to the function. A
/// version that the function was redefined as does not: it is a function of its own. From any thread.
///
/// not_found: the function has neither a symbol nor unwind information
/// thread_unstoppable: a thread did not reach a safepoint in time
bool is_function_in_stack(const AnyFunction& function, ThreadId thread);

/// The same for the stacks of `threads`, the caller's included; an empty list means every thread.
bool is_function_in_any_stack(const AnyFunction& function, const std::vector<ThreadId>& threads = {});

namespace detail::inline MOULT_ABI_NAMESPACE {
bool is_class_in_any_stack(const std::type_info& type, const std::vector<ThreadId>& threads);
}

/// True when a call of a member function of `Class` is on the stack of one of `threads`; an empty list means every
/// thread. Constructors, destructors, operators and static functions count. So do copies that were inlined into
/// callers, as far as the debug information records them; it may omit small ones.
///
/// Reads the program's debug information, which takes seconds for a big program, then stops the program for the check
/// unless it is stopped. From any thread. After Pymoult.
///
/// not_found: no code of the class is known
/// thread_unstoppable: a thread did not reach a safepoint in time
template <class Class>
bool is_class_in_any_stack(const std::vector<ThreadId>& threads = {}) {
  return detail::is_class_in_any_stack(detail::type_of<Class>(), threads);
}

/// Stops the program. When none of `functions` is active in `threads` (an empty list means every thread), leaves it
/// stopped and returns true; otherwise resumes it and returns false. A call in a version that the function was
/// redefined as counts as a call of it.
///
/// Only from a step of an update: the manager resumes the program after the update, or resume_suspended_threads does in
/// resume_hook.
///
/// thread_unstoppable: a thread did not reach a safepoint in time
/// invalid_argument: outside of an update's step
bool check_quiescence_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience = {},
                                   const std::vector<ThreadId>& threads = {});
bool check_quiescence_of_function(const AnyFunction& function, const Patience& patience = {},
                                  const std::vector<ThreadId>& threads = {});

/// Probes until the check passes: first after about 1 ms, then at growing intervals up to patience.sleep_time, for
/// max_tries * sleep_time in total. On false the update's reason names the thread and the frames that kept a function
/// active.
bool wait_quiescence_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience = {},
                                  const std::vector<ThreadId>& threads = {});
bool wait_quiescence_of_function(const AnyFunction& function, const Patience& patience = {},
                                 const std::vector<ThreadId>& threads = {});

/// Forced quiescence. From here on new calls of `functions` wait at their entries, until the calls inside have
/// returned.
///
///     void preupdate_setup() override { moult::setup_force_quiescence(&app::handle); }
///     bool wait_alterability() override { return moult::wait_force_quiescence(patience()); }
///     void cleanup() override { moult::clean_force_quiescence(); }
///     void clean_failed_alterability() override { moult::clean_failed_force_quiescence(); }
///
/// A thread that is already inside one of the functions passes, so recursive calls and calls between the functions
/// still return. Recursion is recognised by the thread's own stack. Calls that the update itself makes pass too.
///
/// The entries open again, and the waiting calls go on in the then current version: at the end of the stop in which
/// quiescence was found, by the clean functions, and when the update fails, is postponed, or its manager ends.
///
/// Only from a step of an update, as a rule preupdate_setup; one at a time in an update. Stops the program to close the
/// entries, for at most patience.stop_timeout. After Pymoult.
///
/// A waiting thread may hold locks of the program. If a call inside needs one, quiescence is not reached, and all calls
/// go on when the update's patience ends. Throws before anything is changed:
///
/// not_found: no function begins at that address
/// inlined: calls of inlined copies would not wait
/// too_short, unsupported_code, no_room: an entry cannot be patched
/// still_active: another update keeps calls of one of them waiting
/// invalid_argument: outside of an update's step, an empty list, or a second call
/// thread_unstoppable: a thread did not reach a safepoint in time
/// unsupported: the processor keeps shadow stacks for the program
void setup_force_quiescence(const std::vector<AnyFunction>& functions, const Patience& patience = {});
/// The same for one function, without braces.
template <class F>
requires std::is_convertible_v<const F&, AnyFunction>
void setup_force_quiescence(const F& function, const Patience& patience = {}) {
  setup_force_quiescence(std::vector<AnyFunction>{function}, patience);
}

/// Sleeps until the last call inside has returned; return barriers report it (return_barrier.hpp). True leaves the
/// program stopped with none of the functions active. False: patience has run out, the entries are open again, and the
/// update's reason names the calls that were inside.
///
/// invalid_argument: without setup_force_quiescence before
/// thread_unstoppable: a thread did not reach a safepoint in time
bool wait_force_quiescence(const Patience& patience = {});
/// One probe of the same, for inline managers. After false the entries stay closed.
bool check_force_quiescence(const Patience& patience = {});

/// Opens the entries and removes the jumps, in the current stop or one of its own. Does nothing when that is done.
///
/// thread_unstoppable: the entries are open all the same
void clean_force_quiescence();
/// The same for clean_failed_alterability. Does not throw: the manager removes what cannot be removed now.
void clean_failed_force_quiescence() noexcept;

/// Resumes the program if the current update has stopped it. A manager does so even when an update forgets to.
void resume_suspended_threads();

}  // namespace moult
#pragma GCC visibility pop
