// Conversion of slabs in place, each in a short stop.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "convert/evacuated_region.hpp"
#include "platform/userfaultfd.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// A conversion whose slabs are converted in such stops. Another conversion may own the page by the time of the call:
/// then each function does nothing.
class SlabOwner {
 public:
  virtual ~SlabOwner() = default;
  /// In the stop: converts the page's slab in place if it is pending. Throws std::bad_alloc.
  virtual void convert_at(const std::byte* page) = 0;
  /// In the stop: maps the page's slab unconverted, until the stop ends, if it is pending.
  virtual void map_at(const std::byte* page) noexcept = 0;
  /// In a running program, as service work: the slab's objects stay as they are. Throws std::bad_alloc.
  virtual void leave_at(const std::byte* page, const char* reason) = 0;
  /// In a running program: names unconverted objects in the log.
  virtual void report() noexcept = 0;
};

/// Its thread is a service thread (threads/service_threads.hpp).
class SlabStops final : private MemoryFilledInStop {
 public:
  explicit SlabStops(Userfaultfd& pages);

  /// Starts the thread, unless it runs. Throws std::system_error.
  void start();
  /// Has the page's slab converted in a stop. Called by service threads. Throws std::bad_alloc.
  void add(const MissingPage& missing, std::shared_ptr<SlabOwner> owner);
  /// Calls `act` in a stop, after converting the slabs that threads wait for. Throws Error (thread_unstoppable),
  /// std::bad_alloc.
  void in_stop(std::chrono::milliseconds timeout, const std::function<void()>& act);

  /// In a stop: maps a slab unconverted until unmap_all. False when 1024 slabs are mapped.
  bool map(EvacuatedRegion& region, std::uint32_t slab) noexcept;
  void unmap_all() noexcept;

 private:
  struct Wait {
    MissingPage missing;
    std::shared_ptr<SlabOwner> owner;
  };
  using Waits = std::vector<Wait>;  ///< one for each waiting thread
  struct Mapped {
    EvacuatedRegion* region = nullptr;
    std::uint32_t slab = 0;
  };

  [[noreturn]] void run();
  void serve_or_give_up() noexcept;
  void give_up() noexcept;
  Waits all() const;
  void remove(const Waits& served) noexcept;
  void wake(const Waits& served) noexcept;
  std::optional<Wait> wait_of(pid_t task) const noexcept;

  bool is_awaited_by(pid_t task) const noexcept override;
  void map_for(pid_t task) noexcept override;
  void unmap() noexcept override { unmap_all(); }

  Userfaultfd& pages_;
  // No Guarded: only service threads take it, and threads that stop the program or are about to.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Waits waits_;
  std::vector<Mapped> mapped_;  ///< room is reserved; used in a stop, by one thread at a time
  std::atomic<bool> is_ready_{false};
  std::jthread thread_;
};

}  // namespace moult::internal
