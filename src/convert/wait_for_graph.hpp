// Which thread converts which slab, and which page it waits for meanwhile.
//
// A transformer may use other objects that are pending: another thread converts their slab. Where such waits close a
// cycle, or a transformer uses its own slab, no thread could go on. The graph finds the cycle at the fault that closes
// it, and maps that slab with the objects converted so far. The other objects of the slab stay of the old class.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <vector>

#include "base/guarded.hpp"
#include "platform/userfaultfd.hpp"

namespace moult::internal {

class WaitForGraph;

/// Where objects are while they are converted.
enum class Manner {
  evacuated,  ///< at other addresses, while the program runs: both classes bear being moved byte by byte
  in_place,   ///< at their own addresses, in a stop
};

/// A node of the graph: a slab that the calling thread converts, for the scope's life.
class HeldSlab final {
 public:
  /// Throws std::bad_alloc.
  HeldSlab(WaitForGraph& graph, Manner manner);
  ~HeldSlab();
  HeldSlab(const HeldSlab&) = delete;
  HeldSlab& operator=(const HeldSlab&) = delete;

  /// The slab's slots are [slots, slots + size). Their bytes, as far as they are converted, are at `bytes`.
  void hold(std::byte* slots, std::size_t size, const std::byte* bytes) noexcept;
  /// Whether the slab had to be mapped early: further changes of `bytes` have no effect.
  bool is_mapped() const noexcept { return is_mapped_.load(std::memory_order_acquire); }
  /// The graph does not map the slab from now on. True when it has: then all of the slab's pages are in place.
  bool release() noexcept;

 private:
  friend class WaitForGraph;
  WaitForGraph& graph_;
  std::byte* slots_ = nullptr;
  std::size_t size_ = 0;
  const std::byte* bytes_ = nullptr;
  pid_t task_;
  Manner manner_;
  const std::byte* waits_for_ = nullptr;  ///< the page that the converting thread faulted at last
  std::atomic<bool> is_mapped_{false};
};

/// Safe in any thread.
class WaitForGraph final {
 public:
  explicit WaitForGraph(Userfaultfd& pages) noexcept : pages_(pages) {}

  /// Whether a converting thread waits for the page. The graph remembers that it does.
  bool note_wait(const MissingPage& missing);
  bool is_converting_in_place(pid_t task);
  /// A thread accessed a page of a slab in conversion. Maps the slab as it is if its converter waits, perhaps through
  /// others, for that thread.
  void break_cycle(const MissingPage& missing);

 private:
  friend class HeldSlab;
  static HeldSlab* holder_of(const std::vector<HeldSlab*>& all, const std::byte* page) noexcept;

  Userfaultfd& pages_;
  Guarded<std::vector<HeldSlab*>> all_;
};

}  // namespace moult::internal
