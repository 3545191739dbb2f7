// The parts of a moult::Thread: its name, its main function, and the loop that runs it.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/code_record.hpp"
#include "base/guarded.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/thread.hpp"

namespace moult::internal {

using MainFunction = HandedOver<std::function<void()>>;
/// Puts the module that hands the main function over on record. Throws std::bad_alloc.
MainFunction main_function(std::function<void()> main, detail::Caller caller);

/// Shared by the moult::Thread, the running thread, and lookups.
class ThreadBody final : public detail::OpaqueThread, public std::enable_shared_from_this<ThreadBody> {
 public:
  /// Throws Error (invalid_argument).
  ThreadBody(const ThreadOptions& options, MainFunction main);
  ~ThreadBody();
  ThreadBody(const ThreadBody&) = delete;
  ThreadBody& operator=(const ThreadBody&) = delete;

  /// Starts the thread and waits until it has begun. Throws std::system_error, std::bad_alloc.
  void start();

  ThreadId id() const noexcept { return ThreadId{static_cast<std::int32_t>(task_.load())}; }
  ThreadRole role() const noexcept { return role_; }
  std::string name() const;
  void rename(const std::string& name);

  /// The frame, by its CFA, that calls the main function: a thread that leaves that call returns to the loop.
  std::uintptr_t run_frame() const noexcept { return run_frame_.load(std::memory_order_relaxed); }

  // For the owning moult::Thread.
  bool joinable() const noexcept { return handle_.joinable(); }
  void join();
  void detach();

  /// The function that the next run calls. From any thread.
  MainFunction main() const;
  void set_main(MainFunction main) noexcept;
  /// Makes another run follow the present one. From any thread.
  void ask_for_another_run() noexcept { is_another_run_asked_ = true; }
  /// True when another run was asked for; forgets the request.
  bool take_back_request() noexcept { return is_another_run_asked_.exchange(false); }

  /// In the child of fork, for the thread that called it.
  void go_on_in_child();

 private:
  void begin();
  void run();
  void end() noexcept;
  void publish() noexcept;
  bool is_in_this_process() const noexcept;

  const ThreadRole role_;
  Guarded<std::string> name_;
  Guarded<MainFunction> main_;
  std::atomic<bool> is_another_run_asked_{false};
  std::atomic<std::uint32_t> task_{0};
  std::atomic<std::uintptr_t> run_frame_{0};
  std::atomic<std::uint32_t> has_begun_{0};  ///< a futex
  std::exception_ptr failure_;               ///< thrown before the thread began
  std::uint32_t forks_;                      ///< the number of forks before it was started
  std::thread handle_;
};

/// The running moult::Thread with that id, or null.
std::shared_ptr<ThreadBody> find_thread(ThreadId thread);
/// The running moult::Threads.
std::vector<std::shared_ptr<ThreadBody>> running_threads();

}  // namespace moult::internal
