// Threads and functions that begin anew while they run.
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
#include "moult/relinking.hpp"
#include "moult/static_point_update.hpp"
#include "moult/thread.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

namespace detail::inline MOULT_ABI_NAMESPACE {
void switch_main(ThreadId thread, std::function<void()> main, Caller caller);
}

/// The moult::Thread `thread`, which stays at a static update point, leaves its main function when it is let go, and
/// runs `main` with copies of `args` instead. It is unwound, as by an exception: destructors run, locks that guards
/// hold are released; then the thread begins anew, the same thread with the same id. Nothing else tells the functions
/// on the way that they are left, so keep what the new main function needs outside of them.
///
/// Only from apply (or preresume_setup), in a stopped program, after wait_static_points_reached. Part of the update:
/// undone with it as long as the thread stays; when it has left, that cannot be taken back. wait_departures, in
/// wait_over, says when it has.
///
/// Handlers for everything (`catch (...)`) are run through, if they throw on (`throw;`). One that does not ends the
/// unwinding, as it ends an exception: the thread goes on behind it, in its old code, and wait_departures throws.
///
/// Throws Error: not_found when no moult::Thread of that id runs or it stays at no point; unsupported, naming the
/// function and its place, when a function that is noexcept is on the way, a signal handler, code without unwind
/// information or of a language other than C++ and C; invalid_argument elsewhere than in a stopped program's step. What
/// was compiled without exceptions is left without cleaning up. After Pymoult's switch_main.
template <class Main, class... Args>
[[gnu::visibility("hidden")]] void switch_main(ThreadId thread, Main main, Args... args) {
  detail::switch_main(
      thread, [main = std::move(main), ... args = std::move(args)] { std::invoke(Main(main), Args(args)...); },
      {&detail::this_module});
}

/// The same with the main function that the thread runs, and the arguments that it was given.
void reset_thread(ThreadId thread);

/// Waits until every thread that the current update has told to leave a call has left it, for max_tries * sleep_time
/// for all of them; on false the update's reason says which thread is where. For wait_over. Throws Error: still_active,
/// naming the thread and the function, when a handler has ended the unwinding, or it could not begin since the point
/// lies in a handler and another one for everything is on the way; invalid_argument outside of an update's step.
bool wait_departures(const Patience& patience = {});
/// The same without waiting, for check_over.
bool check_departures();

/// Has a moult::Thread begin anew: it is waited for at any static update point, or at those that were set (set_points),
/// leaves its main function there and runs another, or the same one again. Over when it has left. After Pymoult.
class ThreadRebootUpdate : public StaticPointUpdate {
 public:
  /// `main` with copies of `args`.
  template <class Main, class... Args>
  [[gnu::visibility("hidden")]] ThreadRebootUpdate(std::string name, ThreadId thread, Main main, Args... args)
      : ThreadRebootUpdate(std::move(name), thread,
                           std::function<void()>([main = std::move(main), ... args = std::move(args)] {
                             std::invoke(Main(main), Args(args)...);
                           }),
                           detail::Caller{&detail::this_module}) {}
  ThreadRebootUpdate(std::string name, ThreadId thread, std::function<void()> main,
                     detail::Caller caller = {&detail::this_module});
  /// With the main function that it runs.
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

/// A call in progress that is about to be left, in a stopped program: what a new function needs of it is copied.
class FrameView final {
 public:
  explicit FrameView(const detail::OpaqueFrameLocals& locals) noexcept : locals_(&locals) {}

  /// A copy of the local variable or parameter of that name and type, as debug information tells where it is: in
  /// memory, in a register, or computed. Of types that are not copied byte by byte it has to be in memory. Throws
  /// Error: not_found when none of that name is in scope where the call stands; signature_mismatch when it has another
  /// type; unsupported when the compiler kept no value of it there ("optimized out").
  template <class T>
  T local(std::string_view name) const {
    if constexpr (std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>) {
      T copy;
      // NOLINTNEXTLINE(bugprone-sizeof-expression): of a T that is a pointer, the pointer is copied
      read(name, typeid(T), &copy, sizeof(T));
      return copy;
    } else {
      return reference<T>(name);
    }
  }
  /// The variable itself, which has to be in memory. It is left as it is: if a later step of the update fails, the old
  /// function goes on with it, and otherwise it is destroyed.
  template <class T>
  const T& reference(std::string_view name) const {
    return *static_cast<const T*>(place_of(name, typeid(T), sizeof(T)));
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

/// A capture function that copies local variables: of one the value, of several a std::tuple.
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

/// A function to be left in the middle of a call, with what goes on in its place: `capture_state(frame)` makes a state
/// of the call's variables, and new_function(state) is called for the rest. Its result, of the old function's type,
/// goes to who called the old function.
class FunctionReboot final {
 public:
  /// `function` is a pointer to a function or to a member function, or a Function that was found by its name.
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
  [[gnu::visibility("hidden")]] FunctionReboot(std::type_identity<R>, AnyFunction function, New new_function, Capture capture_state)
      : function_(std::move(function)), place_of_result_(detail::place_of_result<R>()) {
    using State = std::invoke_result_t<Capture, const FrameView&>;
    static_assert(std::is_object_v<State>, "the state is a value: the variables are gone when the new function runs");
    static_assert(std::is_same_v<std::invoke_result_t<New, State>, R>,
                  "the new function is called with the state, and has the old function's result");
    using Kept = detail::SuccessorOf<R, State, New>;
    caller_ = {&detail::this_module};
    successor_ = reinterpret_cast<const void*>(&Kept::enter);
    make_successor_ = [fresh = std::move(new_function), capture = std::move(capture_state)](const FrameView& frame) {
      return std::make_unique<Kept>(fresh, capture(frame));
    };
  }

  AnyFunction function_;
  detail::ResultPlace place_of_result_;
  const void* successor_ = nullptr;
  detail::MakeSuccessor make_successor_;
  detail::Caller caller_{};
};

/// The innermost call of the function that is in progress in `thread`, which stays at a static update point in it or in
/// what it has called, is left when the thread is let go, and the new function runs in its place. The calls further in
/// are left too. They are unwound, as by an exception: destructors run, locks that guards hold are released. The state
/// is captured in the stop, before that; when capturing throws, the update fails and nothing has changed.
///
/// Calls of it that begin later are not concerned: redefine_function changes these.
///
/// When, undo and errors as for switch_main, for any thread; and: not_found when no call of the function is in progress
/// there; what FrameView throws; unsupported when the call is of a clone that the compiler made of the function (mark
/// it MOULT_UPDATABLE), or its result is returned in memory and where is not found in its code. After Pymoult's
/// reboot_function.
void reboot_function(ThreadId thread, const FunctionReboot& reboot);
template <class Old, class New, class Capture>
[[gnu::visibility("hidden")]] void reboot_function(ThreadId thread, const Old& function, New new_function, Capture capture_state) {
  reboot_function(thread, FunctionReboot(function, std::move(new_function), std::move(capture_state)));
}

/// Reboots a function in one thread, which is waited for at any static update point, or at those that were set
/// (set_points). One that it reaches outside of any call of the function does not count: it goes on to the next. Over
/// when the call has been left.
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
