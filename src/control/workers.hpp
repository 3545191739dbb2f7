// Threads for slow commands, owned until they are joined.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>
#include <thread>

namespace moult::internal {

/// For use by one thread.
class Workers final {
 public:
  using Work = std::function<void(const std::stop_token&)>;

  /// Runs `work`, which must not throw, in a thread of its own. Throws std::system_error when no thread can be made.
  void start(Work work);
  /// Joins the threads that have finished.
  void reap();
  /// Requests every thread to stop, and joins all.
  void stop_all();
  ~Workers() { stop_all(); }

 private:
  struct Worker {
    std::shared_ptr<std::atomic<bool>> ended;
    std::jthread thread;
  };
  std::list<Worker> workers_;
};

}  // namespace moult::internal
