// Reboots: threads that restart, and calls in progress that a new version of their function finishes.
//
//   manager.add_update(std::make_unique<moult::ThreadRebootUpdate>("worker v2", moult::get_thread_by_name("worker"),
//                                                                  worker_v2));
//   manager.add_update(std::make_unique<moult::RebootFunctionUpdate>(
//       "sum v2", thread,
//       moult::FunctionReboot(&app::sum, [](int i) { return sum_from(i); }, moult::capture_locals<int>("i"))));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "moult/detail/caller.hpp"
#include "moult/detail/function_reboot.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/detail/type_of.hpp"
#include "moult/relinking.hpp"
#include "moult/static_point_update.hpp"
#include "moult/thread.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

namespace detail::inline MOULT_ABI_NAMESPACE {
void switch_main(ThreadId thread, std::function<void()> main, Caller caller);
}

/// Makes the moult::Thread `thread`, which stays at a static update point, leave its main function when it is released,
/// and run `main` with copies of `args` instead. The thread unwinds as by an exception: destructors run, and guards
/// release their locks. Then the same thread, with the same id, runs the new main function. Nothing else informs the
/// functions on the way, so keep outside of them what the new main function needs.
///
///     void apply() override { moult::switch_main(worker, worker_v2, 42); }
///     bool wait_over() override { return moult::wait_departures(patience()); }
///
/// Only from apply or preresume_setup, in a stopped program, after wait_static_points_reached. Part of the update:
/// undone with it while the thread stays at its point, irreversible after that. wait_departures, in wait_over, waits
/// until the thread has left.
///
/// The unwinding passes handlers for every exception (`catch (...)`) that rethrow (`throw;`). A handler that does not
/// rethrow ends the unwinding, as it ends an exception: the thread goes on in its old code, and wait_departures throws.
/// Code that was compiled without exceptions is left without cleaning up. After Pymoult's switch_main.
///
/// not_found: no moult::Thread of that id runs, or it stays at no point
/// unsupported: a noexcept function, a signal handler, code without unwind information, or code of another language
/// than
///   C++ and C is on the way; the message names the function and its place
/// invalid_argument: outside of a step in a stopped program
template <class Main, class... Args>
[[gnu::visibility("hidden")]] void switch_main(ThreadId thread, Main main, Args... args) {
  detail::switch_main(thread, detail::main_function(main, std::move(args)...),
                      {&detail::this_module, detail::function_in(main)});
}

/// The same with the thread's present main function, and the arguments it was given; with the new one where the update
/// also calls switch_main for the thread, before or after. After Pymoult's reset_thread.
void reset_thread(ThreadId thread);

/// Waits until every thread that the current update makes leave a call has left it, for max_tries * sleep_time for all
/// of them together. On false the update's reason names the thread and its place. For wait_over.
///
/// still_active: a handler has ended the unwinding; or the unwinding could not begin, since the point lies in a handler
///   and another handler for every exception is on the way. The message names the thread and the function
/// invalid_argument: outside of an update's step
bool wait_departures(const Patience& patience = {});
/// The same without waiting, for check_over.
bool check_departures();

/// Restarts a moult::Thread. Waits for it at any static update point, or at the points of set_points; there the thread
/// leaves its main function, and runs another one or the same again. Over when it has left. After Pymoult.
class ThreadRebootUpdate : public StaticPointUpdate {
 public:
  /// Runs `main` with copies of `args`.
  template <class Main, class... Args>
  [[gnu::visibility("hidden")]] ThreadRebootUpdate(std::string name, ThreadId thread, Main main, Args... args)
      : ThreadRebootUpdate(std::move(name), thread, detail::main_function(main, std::move(args)...),
                           detail::Caller{&detail::this_module, detail::function_in(main)}) {}
  ThreadRebootUpdate(std::string name, ThreadId thread, std::function<void()> main,
                     detail::Caller caller = {&detail::this_module});
  /// Runs the thread's present main function again.
  ThreadRebootUpdate(std::string name, ThreadId thread);
  ~ThreadRebootUpdate() override;

  void prepare() override;
  void apply() override;
  bool wait_over() override;
  bool check_over() override;
  void cleanup() override;

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// A call in progress that is about to be left, in a stopped program; the successor's state is copied from it.
class FrameView final {
 public:
  explicit FrameView(const detail::OpaqueFrameLocals& locals) noexcept : locals_(&locals) {}

  /// A copy of the local variable or parameter of that name and type. The debug information tells its location: memory,
  /// a register, or an expression. A type that is not trivially copyable must lie in memory.
  ///
  /// not_found: no variable of that name is in scope at the call's place
  /// signature_mismatch: the variable has another type
  /// unsupported: the compiler kept no value of it there ("optimized out")
  template <class T>
  T local(std::string_view name) const {
    if constexpr (std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>) {
      T copy;
      // NOLINTNEXTLINE(bugprone-sizeof-expression): if T is a pointer, the pointer is copied
      read(name, detail::type_of<T>(), &copy, sizeof(T));
      return copy;
    } else {
      return reference<T>(name);
    }
  }
  /// The variable itself, which must lie in memory. Do not change it: if a later step of the update fails, the old
  /// function goes on with it; otherwise it is destroyed. Errors as local.
  template <class T>
  const T& reference(std::string_view name) const {
    return *static_cast<const T*>(place_of(name, detail::type_of<T>(), sizeof(T)));
  }

 private:
  void read(std::string_view name, const std::type_info& type, void* to, std::size_t size) const;
  const void* place_of(std::string_view name, const std::type_info& type, std::size_t size) const;

  const detail::OpaqueFrameLocals* locals_;
};

namespace detail::inline MOULT_ABI_NAMESPACE {
template <class>
using NameOf = std::string;
}

/// A capture function that copies local variables: one variable as its value, several as a std::tuple.
/// `capture_locals<int, std::vector<int>>("i", "list")`.
template <class... T>
auto capture_locals(detail::NameOf<T>... names) {
  return [... names = std::move(names)](const FrameView& frame) {
    if constexpr (sizeof...(T) == 1)
      return (frame.local<T>(names), ...);
    else
      return std::tuple<T...>(frame.local<T>(names)...);
  };
}

/// A function whose call in progress is left, and its successor. `capture_state(frame)` makes a state from the call's
/// variables, and new_function(state) finishes the call. Its result, of the old function's type, goes to the caller of
/// the old function.
class FunctionReboot final {
 public:
  /// `function` is a pointer to a function or member function, or a Function that was found by name.
  template <class Old, class New, class Capture>
  [[gnu::visibility("hidden")]] FunctionReboot(const Old& function, New new_function, Capture capture_state)
      : FunctionReboot(std::type_identity<detail::ResultOf<Old>>(),
                       AnyFunction(detail::plain<std::decay_t<Old>>(function)), std::move(new_function),
                       std::move(capture_state)) {}

  const AnyFunction& rebooted() const noexcept { return function_; }
  detail::ResultPlace place_of_result() const noexcept { return place_of_result_; }
  const void* successor() const noexcept { return successor_; }
  const detail::MakeSuccessor& make_successor() const noexcept { return make_successor_; }
  detail::Caller caller() const noexcept { return caller_; }

 private:
  template <class R, class New, class Capture>
  [[gnu::visibility("hidden")]] FunctionReboot(std::type_identity<R>, AnyFunction function, New new_function,
                                               Capture capture_state)
      : function_(std::move(function)), place_of_result_(detail::place_of_result<R>()) {
    using State = std::invoke_result_t<Capture, const FrameView&>;
    static_assert(std::is_object_v<State>, "the state is a value: the variables are gone when the new function runs");
    static_assert(std::is_same_v<std::invoke_result_t<New, State>, R>,
                  "the new function is called with the state, and has the old function's result");
    using Kept = detail::SuccessorOf<R, State, New>;
    caller_ = {&detail::this_module, detail::function_in(new_function)};
    successor_ = reinterpret_cast<const void*>(&Kept::enter);
    make_successor_ = [replacement = std::move(new_function), capture = std::move(capture_state)](
                          const FrameView& frame) { return std::make_unique<Kept>(replacement, capture(frame)); };
  }

  AnyFunction function_;
  detail::ResultPlace place_of_result_;
  const void* successor_ = nullptr;
  detail::MakeSuccessor make_successor_;
  detail::Caller caller_{};
};

/// Leaves the innermost call of the function in `thread`, and runs the new function in its place. The thread stays at a
/// static update point in that call or in a call further in; it leaves when it is released, and the calls further in
/// are left too. It unwinds as by an exception: destructors run, and guards release their locks. The state is captured
/// before, in the stop; when capturing throws, the update fails and nothing has changed.
///
/// Later calls of the function are not affected: redefine_function changes those. After Pymoult's reboot_function.
///
/// Time, undo and errors as for switch_main, in any thread; passes on what FrameView throws. Besides:
///
/// not_found: no call of the function is in progress in the thread
/// unsupported: the call is of a clone that the compiler made of the function (mark it MOULT_UPDATABLE), or the result
/// is
///   returned in memory whose place the function's code does not show
void reboot_function(ThreadId thread, const FunctionReboot& reboot);
template <class Old, class New, class Capture>
[[gnu::visibility("hidden")]] void reboot_function(ThreadId thread, const Old& function, New new_function,
                                                   Capture capture_state) {
  reboot_function(thread, FunctionReboot(function, std::move(new_function), std::move(capture_state)));
}

/// Reboots a function in one thread, at any static update point or at the points of set_points. A point that the thread
/// reaches outside of any call of the function does not count. Over when the call has been left.
class RebootFunctionUpdate : public StaticPointUpdate {
 public:
  RebootFunctionUpdate(std::string name, ThreadId thread, const FunctionReboot& reboot);
  ~RebootFunctionUpdate() override;

  void prepare() override;
  bool wait_alterability() override;
  bool check_alterability() override;
  void apply() override;
  bool wait_over() override;
  bool check_over() override;

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult
#pragma GCC visibility pop
