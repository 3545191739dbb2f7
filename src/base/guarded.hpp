// Data that lives with its lock.
//
// moult stops every thread of the process, its own too, and then runs code that may want these locks. A thread stopped
// while it holds one would be waited for without end. So each thread counts the locks of moult it holds or is about to
// take, and a stop is safe only where that count is zero (threads/safepoint.hpp). A thread that waits on a condition
// holds nothing while it sleeps; it says so with `idle`, which the stop believes only for a thread stopped in the
// kernel: there it has given the lock back and has not taken it again.
//
// Rule for callers: no lock of moult is held across a stop (StoppedWorld checks this), and nothing of the program's own
// is called under one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace moult::internal {

/// What this thread holds of moult's locks. Read by the stop signal's handler in the same thread.
struct LockUse {
  int held = 0;
  bool idle = false;
};

/// This thread's own record. In static TLS: the handler that reads it must not allocate.
LockUse& lock_use() noexcept;

/// Keeps a stop away for the scope's life, as a lock of moult does.
class NoStop final {
 public:
  NoStop() noexcept { ++lock_use().held; }
  ~NoStop() { --lock_use().held; }
  NoStop(const NoStop&) = delete;
  NoStop& operator=(const NoStop&) = delete;
};

template <class T>
class Guarded final {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : data_(std::forward<Args>(args)...) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  /// Calls `use(data)` under the lock and returns its result.
  template <class Use>
  decltype(auto) with(Use&& use) {
    NoStop here;
    std::scoped_lock lock(mutex_);
    return std::forward<Use>(use)(data_);
  }

  template <class Use>
  decltype(auto) with(Use&& use) const {
    NoStop here;
    std::scoped_lock lock(mutex_);
    return std::forward<Use>(use)(data_);
  }

  /// Waits until `ready(data)` holds or `deadline` has passed, then calls `use(data, was_ready)` under the lock.
  template <class Ready, class Use>
  decltype(auto) wait_until(std::chrono::steady_clock::time_point deadline, Ready&& ready, Use&& use) {
    NoStop here;
    std::unique_lock lock(mutex_);
    bool was_ready = true;
    while (!ready(data_)) {
      if (std::chrono::steady_clock::now() >= deadline) {
        was_ready = false;
        break;
      }
      Idle idle;
      changed_.wait_until(lock, deadline);
    }
    return std::forward<Use>(use)(data_, was_ready);
  }

  /// Wakes every thread in wait_until; call it after `with` has changed what they wait for.
  void notify() noexcept {
    NoStop here;
    changed_.notify_all();
  }

 private:
  struct Idle {
    Idle() noexcept { lock_use().idle = true; }
    ~Idle() { lock_use().idle = false; }
    Idle(const Idle&) = delete;
    Idle& operator=(const Idle&) = delete;
  };

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  T data_;
};

}  // namespace moult::internal
