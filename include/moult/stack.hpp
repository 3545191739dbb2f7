// The stacks of the program's threads: calls in progress with their variables, read and changed.
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
#include "moult/relinking.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// A variable or parameter of a call in progress.
struct StackVariable {
  std::string name;
  std::string type;  ///< "char const*"; empty for one that has no name outside of its function
  bool is_parameter = false;
  /// "at 0x7ffc00001234", "in rbx", "in rbx, saved at 0x7ffc00001240", "in several pieces", "a value" (it has no place,
  /// but is known), "not there yet" (its function is being entered or left), "optimized out".
  std::string where;
  /// As it was when the stack was looked at: "42", "true", "Colour::green (5)", "0x55d0 \"text\"". Empty where it is
  /// not there, and for classes and arrays that are no text.
  std::string value;
};

/// A call in progress.
struct StackFrame {
  std::string function;     ///< demangled, with parameters; empty when nothing is known
  std::string file;         ///< empty without debug information
  int line = 0;             ///< that is executed, or that has called the frame before this one
  bool is_inlined = false;  ///< the call was compiled into the function of the next frame, and has no frame of its own
  bool is_precise = true;   ///< false: the stack could not be followed further than this
  std::uintptr_t code = 0;  ///< where it stands, or where the call that it has made returns to
  std::vector<StackVariable> variables;  ///< of blocks that the place is in, the innermost one's first
};

/// The calls in progress of a thread, the innermost one first, with their variables and parameters by the program's
/// debug information. At most 1000 frames, and variables on the first MiB of the stack.
///
/// Stops the program, unless it is stopped, for as long as it takes to copy the thread's registers and stack; debug
/// information is read when it runs again. What pointers to text lead to is read then too. A variable whose declaration
/// is not reached yet is shown with whatever is in its place.
///
/// From any thread, of any thread: of the calling one, from within this function on. Throws Error: not_found (no such
/// thread), thread_unstoppable (not stopped within `timeout`).
std::vector<StackFrame> read_stack(ThreadId thread, std::chrono::milliseconds timeout = std::chrono::seconds(1));

struct LocalUpdate {
  std::vector<ThreadId> threads{};  ///< none: all
  /// How long a stop of its own may take to find every thread at a safe place.
  std::chrono::milliseconds timeout{1000};
};

namespace detail::inline MOULT_ABI_NAMESPACE {

std::shared_ptr<const OpaqueLocalChange> find_local(const AnyFunction& function, std::string_view name,
                                                    const std::type_info& type, std::size_t size);
std::size_t set_local(const OpaqueLocalChange& local, const void* value, const LocalUpdate& options);

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// A variable or parameter of a function, to be given another value in all calls of the function that are in progress.
///
///     moult::LocalVariable<int> limit(app::worker, "limit");   // in prepare: reads debug information
///     limit.set(100);                                          // in apply
template <class T>
class LocalVariable final {
  static_assert(std::is_trivially_copyable_v<T>, "a value is copied byte by byte");
  static_assert(!std::is_const_v<T>, "a constant has no other value");

 public:
  /// `T` is the variable's own type, const left out. Reads the debug information of the function's source file: in any
  /// thread, best while the program runs. Throws Error: not_found (no such variable; the message lists those there
  /// are), signature_mismatch (of another type or size), unsupported (no debug information; it has
  /// no place where it could be changed), inlined (copies of the function live in its callers), invalid_argument (it is
  /// const).
  LocalVariable(const AnyFunction& function, std::string_view name)
      : local_(detail::find_local(function, name, typeid(T), sizeof(T))) {}

  /// Sets it in every call of the function, those in a version that updates made of it included, in all or the named
  /// threads, and returns in how many. All or none: when it cannot be set in one of them, none is changed.
  ///
  /// In the frame it is set where it lies: in memory, in a register that calls preserve where a call further in has
  /// saved it, in the innermost frame in the register itself. A statement that has called another function
  /// may go on with the old value, which it has read. Refused (unsupported, with the place) where it is optimized out,
  /// not in scope, in a register that has not been saved, or lives in several places, by which code may have taken its
  /// value elsewhere: that is told by the debug information, and what else an optimiser has computed from it is not. A
  /// volatile variable can always be set.
  ///
  /// Called from a step of an update it belongs to that update: it is undone with it as long as the program is stopped.
  /// Once the program has gone on the calls may have ended, and taking it back is refused (unsupported): let another
  /// update set another value. Stops the program unless it is stopped. Throws Error besides: still_active (a thread
  /// stands in the function's own code, where that is just being entered or left or within a statement: try again),
  /// not_found (no such thread), thread_unstoppable.
  std::size_t set(const T& value, const LocalUpdate& options = {}) const {
    return detail::set_local(*local_, &value, options);
  }

 private:
  std::shared_ptr<const detail::OpaqueLocalChange> local_;
};

/// Both at once; in a stopped program it reads debug information there. After Pymoult's update_local_var.
template <class T>
std::size_t update_local_var(const AnyFunction& function, std::string_view name, const T& value,
                             const LocalUpdate& options = {}) {
  return LocalVariable<T>(function, name).set(value, options);
}

}  // namespace moult
#pragma GCC visibility pop
