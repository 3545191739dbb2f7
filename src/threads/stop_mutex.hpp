// Whose turn it is to stop the program: one stop at a time, and first those that other threads wait for.
#pragma once

#include <chrono>
#include <mutex>

namespace moult::internal {

/// The turn to stop the program, from construction to destruction. No Guarded: whoever waits for it holds nothing a
/// stop could need.
class StopMutex final {
 public:
  /// Waits for it. Throws Error (thread_unstoppable) at the deadline; std::bad_alloc.
  explicit StopMutex(std::chrono::steady_clock::time_point deadline);
  ~StopMutex();
  StopMutex(const StopMutex&) = delete;
  StopMutex& operator=(const StopMutex&) = delete;

  /// Lets urgent stops pass, should any be wanted. False when the turn did not come back in time.
  bool give_way(std::chrono::steady_clock::time_point deadline);

 private:
  std::unique_lock<std::timed_mutex> lock_;
};

/// For the scope's life a stop is wanted, if `is_wanted`, before all others: threads wait for what happens in it.
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

/// Waits while somebody is about to stop the program: for threads that are busy inside moult most of the time, lest the
/// stop never find them elsewhere. Not in a thread that is about to fork.
void let_stop_pass() noexcept;

/// The calling thread is in a handler that fork calls first. No stop succeeds before it has forked, so that it has none
/// to let pass: both would wait until the stop gives up.
class AboutToFork final {
 public:
  AboutToFork() noexcept;
  ~AboutToFork();
  AboutToFork(const AboutToFork&) = delete;
  AboutToFork& operator=(const AboutToFork&) = delete;
};

}  // namespace moult::internal
