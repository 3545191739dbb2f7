// Threads that updates find by name, wait for at their static update points, and restart.
//
//   moult::Thread worker("worker", [] { for (;;) { moult::static_update_point("round"); work(); } });
//   ...
//   moult::reset_thread(moult::get_thread_by_name("worker"));   // in an update (reboot.hpp)
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "moult/detail/caller.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

namespace detail::inline MOULT_ABI_NAMESPACE {
/// Calls `main` with copies of `args`, as often as it is called. In a library's own copy: the code is the caller's.
template <class Main, class... Args>
[[gnu::visibility("hidden")]] std::function<void()> main_function(Main main, Args... args) {
  static_assert(std::is_invocable_v<Main, Args...>,
                "the main function cannot be called with these arguments: pass one for each of its parameters");
  if constexpr (std::is_invocable_v<Main, Args...>)
    return [main = std::move(main), ... args = std::move(args)] { std::invoke(Main(main), Args(args)...); };
  else
    return {};
}
}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// Which thread applies an update while this thread stays at a static update point.
enum class ThreadRole {
  passive,  ///< the manager's thread, while this thread stands still
  active,   ///< this thread, at its point: it calls apply and the steps up to the resume
};

struct ThreadOptions {
  std::string name;
  ThreadRole role = ThreadRole::passive;
};

/// A thread that runs a main function. It works like a std::thread beside others. Updates find it by its name, wait for
/// it at static update points by default (setup_wait_static_points), and can restart its main function. The destructor
/// joins. After Pymoult's DSU_Thread.
class Thread final {
 public:
  /// Starts the thread, and returns when its id is known. `main` and `args` are kept: each run of the main function
  /// gets copies. An exception that leaves main ends the program. The kernel shows the first 15 characters of the name.
  /// Several threads may share a name. Throws std::system_error when no thread can be made.
  ///
  /// invalid_argument: the name is empty or holds control characters
  template <class Main, class... Args>
  [[gnu::visibility("hidden")]] explicit Thread(ThreadOptions options, Main main, Args... args)
      : Thread(std::move(options), detail::main_function(main, std::move(args)...),
               detail::Caller{&detail::this_module, detail::function_in(main)}) {}
  template <class Main, class... Args>
  [[gnu::visibility("hidden")]] explicit Thread(std::string name, Main main, Args... args)
      : Thread(ThreadOptions{std::move(name)}, std::move(main), std::move(args)...) {}
  Thread(ThreadOptions options, std::function<void()> main, detail::Caller caller = {&detail::this_module});

  /// Joins, unless the thread was joined or detached.
  ~Thread();
  Thread(Thread&& other) noexcept;
  /// Joins the thread it held before.
  Thread& operator=(Thread&& other) noexcept;

  /// Valid while the thread runs, and until it is joined.
  ThreadId id() const noexcept;
  std::string name() const;
  ThreadRole role() const noexcept;
  /// From any thread.
  ///
  /// invalid_argument: as the constructor
  void rename(const std::string& name);

  bool joinable() const noexcept;
  /// Waits until the main function has returned and is not restarted. In a child of fork, which does not have the
  /// thread, returns at once. Throws std::system_error when the thread is not joinable or is the calling one.
  void join();
  /// The thread goes on by itself, and is still found by its name.
  void detach();

 private:
  std::shared_ptr<detail::OpaqueThread> body_;
};

/// The running moult::Thread of that name. After Pymoult.
///
/// not_found: no such thread runs; the message lists the running ones
/// ambiguous: several threads have that name
ThreadId get_thread_by_name(std::string_view name);

}  // namespace moult
#pragma GCC visibility pop
