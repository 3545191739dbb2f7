// Threads for commands that take their time, owned until they are joined.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>
#include <thread>

namespace moult::internal {

/// Used by one thread. Its threads begin with the ordinary signals blocked, so that the program's handlers run in
/// threads of the program; what a worker starts inherits that.
class Workers final {
 public:
  using Work = std::function<void(const std::stop_token&)>;

  /// Runs `work`, which must not throw, in a thread of its own. Throws std::system_error when there can be no thread.
  void start(Work work);
  /// Joins the threads whose work has ended.
  void reap();
  /// Asks every thread to stop and joins them all.
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
