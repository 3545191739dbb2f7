// Threads that updates know: by name, by their points, and by what they run.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "moult/detail/caller.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// Who carries an update out when it is applied while this thread stays at a static update point.
enum class ThreadRole {
  passive,  ///< its manager, and this thread stands still
  active,   ///< this thread, at its point: apply and the steps up to the resume are called there
};

struct ThreadOptions {
  std::string name;
  ThreadRole role = ThreadRole::passive;
};

/// A thread that runs a main function. Like a std::thread beside others, which it needs not know of; updates find it by
/// its name, wait for it at its static update points without being told to (setup_wait_static_points), and may have it
/// run its main function anew. Its destructor joins. After Pymoult's DSU_Thread.
class Thread final {
 public:
  /// Starts it, and returns when its id is known. `main` and `args` are kept: each run of the main function is given
  /// copies. An exception that leaves main ends the program. The system knows the thread by the first 15 characters of
  /// its name; several threads may have one name. Throws Error (invalid_argument) when the name is empty or holds
  /// control characters, and std::system_error when no thread can be made.
  template <class Main, class... Args>
  [[gnu::visibility("hidden")]] explicit Thread(ThreadOptions options, Main main, Args... args)
      : Thread(std::move(options), std::function<void()>([main = std::move(main), ... args = std::move(args)] {
                 std::invoke(Main(main), Args(args)...);
               }),
               detail::Caller{&detail::this_module}) {}
  template <class Main, class... Args>
  [[gnu::visibility("hidden")]] explicit Thread(std::string name, Main main, Args... args)
      : Thread(ThreadOptions{std::move(name)}, std::move(main), std::move(args)...) {}
  Thread(ThreadOptions options, std::function<void()> main, detail::Caller caller = {&detail::this_module});

  /// Joins, unless that was done or the thread was detached.
  ~Thread();
  Thread(Thread&& other) noexcept;
  /// Joins what it was before.
  Thread& operator=(Thread&& other) noexcept;

  /// Good while it runs, and until it is joined.
  ThreadId id() const noexcept;
  std::string name() const;
  ThreadRole role() const noexcept;
  /// From any thread. Throws Error (invalid_argument) as the constructor does.
  void rename(const std::string& name);

  bool joinable() const noexcept;
  /// Waits until its main function has returned and is not to be run again. In a child of fork, where the thread is
  /// not, it returns at once. Throws std::system_error when it is not joinable, or called by the thread itself.
  void join();
  /// The thread goes on by itself and is still found by its name.
  void detach();

 private:
  std::shared_ptr<detail::OpaqueThread> body_;
};

/// The running moult::Thread of that name. Throws Error: not_found, listing those there are; ambiguous. After Pymoult.
ThreadId get_thread_by_name(std::string_view name);

}  // namespace moult
#pragma GCC visibility pop
