// Which thread converts which chunk, and waits for what meanwhile: to find circles, in which nobody could go on.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <vector>

#include "base/guarded.hpp"
#include "platform/userfaultfd.hpp"

namespace moult::internal {

class WaitForGraph;

/// Where the objects are while they are converted.
enum class Manner {
  evacuated, ///< elsewhere, while the program runs; both classes bear being moved
  in_place,   ///< at their addresses, in a stop
};

/// A chunk that the calling thread converts, for the scope's life.
class HeldSlab final {
 public:
  /// Throws std::bad_alloc.
  HeldSlab(WaitForGraph& claims, Manner manner);
  ~HeldSlab();
  HeldSlab(const HeldSlab&) = delete;
  HeldSlab& operator=(const HeldSlab&) = delete;

  /// The chunk is [slots, slots + size), and what is done of it so far is at `bytes`.
  void hold(std::byte* slots, std::size_t size, const std::byte* bytes) noexcept;
  /// The chunk had to be shown before it was done: what is done to `bytes` from now on is done in vain.
  bool is_shown() const noexcept { return is_shown_.load(std::memory_order_acquire); }
  /// Nobody shows it from now on. True when somebody has: then all of it is there.
  bool end() noexcept;

 private:
  friend class WaitForGraph;
  WaitForGraph& claims_;
  std::byte* slots_ = nullptr;
  std::size_t size_ = 0;
  const std::byte* bytes_ = nullptr;
  pid_t task_;
  Manner manner_;
  const std::byte* awaits_ = nullptr;  ///< the page that its thread waits for
  std::atomic<bool> is_shown_{false};
};

class WaitForGraph final {
 public:
  explicit WaitForGraph(Userfaultfd& pages) noexcept : pages_(pages) {}

  /// Whether it is a converter who waits. Remembers it then.
  bool note_wait(const MissingPage& missing);
  bool is_converting_in_place(pid_t task);
  /// A page of a chunk that is being converted was touched. If its converter waits for the toucher, the chunk is shown
  /// as it is.
  void break_circle(const MissingPage& missing);

 private:
  friend class HeldSlab;
  static HeldSlab* holder_of(const std::vector<HeldSlab*>& all, const std::byte* page) noexcept;

  Userfaultfd& pages_;
  Guarded<std::vector<HeldSlab*>> all_;
};

}  // namespace moult::internal
