// Threads that share the work of whoever has the program stopped.
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

/// Made by the thread that is going to stop the program, or has. Its threads are wakeful (threads/service_threads.hpp),
/// sleep until there is work, and end with it.
class ConversionWorkers final {
 public:
  /// `workers` with the caller; as many as can be made. Throws std::bad_alloc.
  explicit ConversionWorkers(std::size_t workers);
  ~ConversionWorkers();
  ConversionWorkers(const ConversionWorkers&) = delete;
  ConversionWorkers& operator=(const ConversionWorkers&) = delete;

  /// The caller included.
  std::size_t size() const noexcept { return helpers_.size() + 1; }
  /// Calls `work(number)` in each of them at once, 0 in the caller, who has the program stopped; returns when all have
  /// returned.
  void run(const std::function<void(std::size_t)>& work) noexcept;

 private:
  void help(std::size_t number) noexcept;
  void work_along(std::size_t number);

  // Taken by the stopper and by service threads only, neither of which is ever stopped.
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(std::size_t)>* work_ = nullptr;
  pid_t stopper_ = 0;
  std::uint64_t round_ = 0;
  std::size_t awake_ = 0;  ///< that have begun, or could not
  std::size_t able_ = 0;   ///< that take part
  std::size_t busy_ = 0;
  bool is_over_ = false;
  std::vector<std::jthread> helpers_;
};

}  // namespace moult::internal
