// What goes on in a program while it is updated: threads come and go, and children are forked.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

/// Threads of three kinds, std::thread, POSIX threads and moult::Thread, that are made one after the other, renamed,
/// and joined or detached; and children, which run another program.
class Life final {
 public:
  /// What every thread does in its short life. `is_known`: it is a moult::Thread.
  using Work = std::function<void(int number, bool is_known)>;

  explicit Life(Work work);
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  int threads() const { return threads_; }    ///< that have ended
  int children() const { return children_; }  ///< that have ended
  /// Children that did not end well, threads that were not made.
  int failures() const { return failures_; }

 private:
  void mother();
  void father();
  void bear(int number);
  void bear_posix(int number);
  void bear_known(int number);
  void live(int number, bool is_known);

  Work work_;
  std::atomic<bool> is_ending_ = false;
  std::atomic<int> threads_ = 0;
  std::atomic<int> alive_ = 0;
  std::atomic<int> children_ = 0;
  std::atomic<int> failures_ = 0;
  std::vector<std::thread> parents_;
};
