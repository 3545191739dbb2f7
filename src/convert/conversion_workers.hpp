// Threads that share the stopping thread's work.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace moult::internal {

/// Made by the thread that stops the program, before the stop or in it. The workers are service threads
/// (threads/service_threads.hpp), sleep while there is no work, and end with this object.
class ConversionWorkers final {
 public:
  /// `count` workers with the caller, or as many as can be made. Throws std::bad_alloc.
  explicit ConversionWorkers(std::size_t count);
  ~ConversionWorkers();
  ConversionWorkers(const ConversionWorkers&) = delete;
  ConversionWorkers& operator=(const ConversionWorkers&) = delete;

  /// The caller included.
  std::size_t size() const noexcept { return helpers_.size() + 1; }
  /// Calls `work(number)` in all workers at once, with 0 in the calling thread, which has the program stopped. Returns
  /// when all calls have returned.
  void run(const std::function<void(std::size_t)>& work) noexcept;

 private:
  void help(std::size_t number) noexcept;
  void work_along(std::size_t number);

  // Taken by the stopping thread and by service threads only: none of them is ever stopped.
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(std::size_t)>* work_ = nullptr;
  pid_t stopper_ = 0;
  std::uint64_t round_ = 0;
  std::size_t awake_ = 0;  ///< helpers that have begun, or failed to
  std::size_t able_ = 0;   ///< helpers that take part
  std::size_t busy_ = 0;
  bool is_over_ = false;
  std::vector<std::jthread> helpers_;
};

}  // namespace moult::internal
