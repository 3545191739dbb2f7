// The stop mutex: one stop at a time. Stops that other threads wait for come first.
#pragma once

#include <chrono>
#include <mutex>

namespace moult::internal {

/// Held from construction to destruction. It is no Guarded: a thread that waits for it holds nothing that a stop could
/// need.
class StopMutex final {
 public:
  /// Waits for the mutex. Throws Error (thread_unstoppable) at the deadline; std::bad_alloc.
  explicit StopMutex(std::chrono::steady_clock::time_point deadline);
  ~StopMutex();
  StopMutex(const StopMutex&) = delete;
  StopMutex& operator=(const StopMutex&) = delete;

  /// Lets urgent stops pass if there are any. False if the mutex could not be taken again in time.
  bool give_way(std::chrono::steady_clock::time_point deadline);

 private:
  std::unique_lock<std::timed_mutex> lock_;
};

/// For the scope's lifetime, if `is_wanted`, a stop is wanted before all others: threads wait for its result.
class UrgentStop final {
 public:
  explicit UrgentStop(bool is_wanted) noexcept;
  ~UrgentStop();
  UrgentStop(const UrgentStop&) = delete;
  UrgentStop& operator=(const UrgentStop&) = delete;

 private:
  bool is_wanted_;
};

bool is_urgent_stop_wanted() noexcept;

/// Waits while a thread is about to stop the program. For threads that are busy inside moult most of the time;
/// otherwise a stop might never find them elsewhere. Does nothing in a thread that is about to fork.
void let_stop_pass() noexcept;

/// The calling thread is in a handler that fork calls first. No stop succeeds before it has forked, so it must let no
/// stop pass: both would wait until the stop gives up.
class AboutToFork final {
 public:
  AboutToFork() noexcept;
  ~AboutToFork();
  AboutToFork(const AboutToFork&) = delete;
  AboutToFork& operator=(const AboutToFork&) = delete;
};

}  // namespace moult::internal
