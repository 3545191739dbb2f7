// Data that lives with its lock.
//
// Why: moult stops every thread of the process, its own too, and then runs code that may need these locks. If a stopped
// thread held one, that code would wait for ever.
//
// How: each thread counts the moult locks that it holds or is about to take. A stop is granted only when that count is
// zero in every thread (threads/safepoint.hpp). A thread that waits on a condition variable holds nothing while it
// sleeps, and says so with `idle`. The stop believes `idle` only for a thread stopped in the kernel: there the thread
// has released the lock and has not taken it again.
//
// Rules for callers: hold no moult lock across a stop (StoppedWorld checks this). Call none of the program's own code
// under one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace moult::internal {

/// The moult locks that this thread holds. The stop signal's handler reads it in the same thread.
struct LockUse {
  int held = 0;
  bool idle = false;
};

/// This thread's record. It is in static TLS, because the handler that reads it must not allocate.
LockUse& lock_use() noexcept;

/// Prevents a stop for the scope's lifetime, as a moult lock does.
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

  /// Waits until `ready(data)` is true or `deadline` has passed, then calls `use(data, was_ready)` under the lock.
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

  /// Wakes every thread in wait_until. Call it after what these threads wait for has changed, under the lock or not:
  /// `ready` may look at more than the data. The lock is taken for a moment, so each of them has either not looked yet,
  /// or it sleeps.
  void notify() noexcept {
    NoStop here;
    { const std::scoped_lock lock(mutex_); }
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
