// Conversion of chunks in place, each in a short stop of its own.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "platform/userfaultfd.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

class LazyConversion;
class EvacuatedRegion;

/// Part of the page server. Its thread is wakeful (threads/service_threads.hpp).
class SlabStops final : private MemoryFilledInStop {
 public:
  explicit SlabStops(Userfaultfd& pages);

  /// Throws std::system_error.
  void start();
  /// The page was touched, and its chunk is to be converted in a stop. Called by threads that no stop asks. Throws
  /// std::bad_alloc.
  void add(const MissingPage& missing, std::shared_ptr<LazyConversion> conversion);
  /// Calls `act` in a stop, in which the chunks that threads wait for are converted before. Throws Error
  /// (thread_unstoppable), std::bad_alloc.
  void in_stop(std::chrono::milliseconds timeout, const std::function<void()>& act);

  /// In a stop: shows a chunk as it is, until hide_shown. False when too many are shown.
  bool show(EvacuatedRegion& region, std::uint32_t slab) noexcept;
  void hide_shown() noexcept;

 private:
  struct Touch {
    MissingPage missing;
    std::shared_ptr<LazyConversion> conversion;
  };
  using Touches = std::vector<Touch>;  ///< one for each thread that waits
  struct Shown {
    EvacuatedRegion* region = nullptr;
    std::uint32_t slab = 0;
  };

  [[noreturn]] void run();
  void serve_or_give_up() noexcept;
  void give_up() noexcept;
  Touches all() const;
  void remove(const Touches& served) noexcept;
  void wake(const Touches& served) noexcept;
  std::optional<Touch> touch_of(pid_t task) const noexcept;

  bool is_awaited_by(pid_t task) const noexcept override;
  void map_for(pid_t task) noexcept override;
  void unmap() noexcept override;

  Userfaultfd& pages_;
  // Not a Guarded: it is taken by threads that no stop asks, and by whoever has the program stopped or is about to.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Touches touches_;
  std::vector<Shown> shown_;  ///< room is reserved; used in a stop, by one thread at a time
  std::atomic<bool> is_ready_{false};
  std::jthread thread_;
};

}  // namespace moult::internal
