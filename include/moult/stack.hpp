// Stacks: the calls in progress of the program's threads, and their variables, read and changed.
//
//   for (const moult::StackFrame& frame : moult::read_stack(thread))
//     std::cout << frame.function << " at " << frame.file << ":" << frame.line << "\n";
//
//   moult::LocalVariable<int> limit(app::worker, "limit");   // in prepare: reads debug information
//   limit.set(100);                                          // in apply
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "moult/detail/opaque.hpp"
#include "moult/detail/type_of.hpp"
#include "moult/relinking.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// A variable or parameter of a call in progress.
struct StackVariable {
  std::string name;
  std::string type;  ///< "char const*"; empty for a type without a name outside of its function
  bool is_parameter = false;
  /// "at 0x7ffc00001234", "in rbx", "in rbx, saved at 0x7ffc00001240", "in several pieces", "a value" (known, but
  /// without a location), "not there yet" (its function is just being entered or left), "optimized out".
  std::string where;
  /// The value at the time of reading: "42", "true", "Colour::green (5)", "0x55d0 \"text\"". Empty if it has none, and
  /// for classes and arrays other than text.
  std::string value;
};

/// A call in progress.
struct StackFrame {
  std::string function;                  ///< demangled, with parameters; empty when unknown
  std::string file;                      ///< empty without debug information
  int line = 0;                          ///< the line being executed; in outer frames, the line of the call
  bool is_inlined = false;               ///< the call was inlined into the function of the next frame
  bool is_precise = true;                ///< false: the stack could not be followed further
  std::uintptr_t code = 0;               ///< the frame's instruction; in outer frames, the return address
  std::vector<StackVariable> variables;  ///< of the enclosing blocks, the innermost one's first
};

/// The calls in progress of a thread, the innermost one first, with their variables and parameters by the program's
/// debug information. At most 1000 frames, and variables on the first MiB of the stack.
///
/// Stops the program, unless it is stopped, to copy the thread's registers and stack. Then the program runs again, and
/// moult reads the debug information and the text that pointers lead to. A variable whose declaration was not reached
/// yet is shown with the present content of its location.
///
/// From any thread, of any thread; for the calling thread, from this function on.
///
/// not_found: no such thread
/// thread_unstoppable: a thread did not reach a safepoint within `timeout`
std::vector<StackFrame> read_stack(ThreadId thread, std::chrono::milliseconds timeout = std::chrono::seconds(1));

struct LocalUpdate {
  std::vector<ThreadId> threads{};  ///< empty: all
  /// How long a stop of its own may take until every thread is at a safepoint.
  std::chrono::milliseconds timeout{1000};
};

namespace detail::inline MOULT_ABI_NAMESPACE {

std::shared_ptr<const OpaqueLocalChange> find_local(const AnyFunction& function, std::string_view name,
                                                    const std::type_info& type, std::size_t size);
std::size_t set_local(const OpaqueLocalChange& local, const void* value, const LocalUpdate& options);

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// A variable or parameter of a function, which gets another value in all calls of the function that are in progress.
template <class T>
class LocalVariable final {
  static_assert(std::is_trivially_copyable_v<T>, "a value is copied byte by byte");
  static_assert(!std::is_const_v<T>, "a constant has no other value");

 public:
  /// `T` is the variable's own type without const. Reads the debug information of the function's source file: in any
  /// thread, best while the program runs.
  ///
  /// not_found: no such variable; the message lists the variables of the function
  /// signature_mismatch: the variable has another type or size
  /// unsupported: no debug information, or no location where the variable could be changed
  /// inlined: the compiler inlined some or all of the function's calls
  /// invalid_argument: the variable is const
  LocalVariable(const AnyFunction& function, std::string_view name)
      : local_(detail::find_local(function, name, detail::type_of<T>(), sizeof(T))) {}

  /// Sets the variable in every call of the function, in all threads or the named ones, and returns the number of
  /// calls. Calls of the versions that updates made of the function count. All or none: if it cannot be set in one
  /// call, none is changed.
  ///
  /// Sets it at its location in the frame: in memory; in the register itself in the innermost frame; or where an inner
  /// call has saved the register. A statement that has already read the old value may go on with it. A volatile
  /// variable can always be set. Refused (unsupported, with the place): a variable that is optimized out, is not in
  /// scope, lies in a register that was not saved, or lives in several places, so that code may hold its value
  /// elsewhere. The debug information tells all of this; it does not tell what else the compiler has computed from the
  /// variable.
  ///
  /// Called from a step of an update, the change belongs to that update: it is undone with it while the program is
  /// stopped. Later the calls may have ended, and a rollback is refused (unsupported): submit another update with
  /// another value. Stops the program unless it is stopped.
  ///
  /// still_active: a thread is in the function's own code, in the middle of a statement or of entering or leaving; try
  ///   again
  /// not_found: no such thread
  /// thread_unstoppable: a thread did not reach a safepoint in time
  /// unsupported: see above
  std::size_t set(const T& value, const LocalUpdate& options = {}) const {
    return detail::set_local(*local_, &value, options);
  }

 private:
  std::shared_ptr<const detail::OpaqueLocalChange> local_;
};

/// Both at once; in a stop it is refused (unsupported) where there is much debug information to read. After Pymoult's
/// update_local_var.
template <class T>
std::size_t update_local_var(const AnyFunction& function, std::string_view name, const T& value,
                             const LocalUpdate& options = {}) {
  return LocalVariable<T>(function, name).set(value, options);
}

}  // namespace moult
#pragma GCC visibility pop
