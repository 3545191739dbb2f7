// All slots of one size for the objects of one class: whose slab is whose, and which memory goes back.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/guarded.hpp"
#include "moult/detail/opaque.hpp"
#include "pools/geometry.hpp"
#include "pools/object_class.hpp"
#include "pools/region.hpp"
#include "pools/slab.hpp"

namespace moult::internal {

struct ClassPools;

/// What a pool holds. `alignment` is a power of two.
struct SlotShape {
  std::size_t object_size = 0;
  std::size_t alignment = 0;
  std::size_t reserve = 0;  ///< bytes that an object may grow by

  /// At least smallest_slot; 0 when it does not fit into any slab.
  std::size_t slot_size() const noexcept;
  /// What every slot's address is a multiple of: with a reserve at least what the global operator new gives.
  std::size_t slot_alignment() const noexcept { return slot_size() & (~slot_size() + 1); }
};

/// What the objects of a pool are. They begin as the class that the pool was made for; a conversion changes that, for
/// all of them or only for those that lived then: objects of two classes lie in the pool after that.
struct Contents {
  const ObjectClass* usual = nullptr;  ///< of each object whose slot's `other` bit is not set, as of one just made
  const ObjectClass* other = nullptr;  ///< of the others; null when none was ever set
  std::size_t usual_size = 0;          ///< bytes of an object of the usual class
  std::size_t other_size = 0;
};

/// Safe for several threads. A pool lives as long as the process.
class Pool final : public detail::OpaquePool {
 public:
  /// `id` counts the pools of the process from 0. `shape` has a slot size.
  Pool(const ClassPools& class_pools, std::uint32_t id, const SlotShape& shape) noexcept;

  const ClassPools& class_pools() const noexcept { return class_pools_; }
  std::uint32_t id() const noexcept { return id_; }
  const SlotShape& shape() const noexcept { return shape_; }
  const Geometry& cut() const noexcept { return cut_; }
  /// Whether the address sanitizer is told of each birth and death.
  bool poisons() const noexcept { return poisons_; }

  /// Not while another thread is in set_contents.
  const Contents& contents() const noexcept { return contents_; }
  /// Which of its objects are of the class; nothing when none is.
  std::optional<Portion> portion_of(const ObjectClass& wanted) const noexcept;
  /// In a stopped program.
  void set_contents(const Contents& contents) noexcept;
  /// What is to be done before a slot is freed: a set of these bits, for most pools none.
  enum Care : std::uint8_t {
    clear_other = 1,  ///< its `other` bit may be set
    touch = 2,        ///< its slab may wait to be converted, which has to come first
    drop_values = 4,  ///< its object may have values in side tables (side_table.hpp)
  };
  std::uint8_t care() const noexcept { return care_.load(std::memory_order_relaxed); }
  /// From now on, in every thread that frees a slot because of something that was stored after this.
  void add_care(Care care) noexcept { care_.fetch_or(care); }
  void drop_care(Care care) noexcept { care_.fetch_and(static_cast<std::uint8_t>(~care)); }
  /// Bytes of an object that is made now.
  std::size_t object_size() const noexcept { return object_size_.load(std::memory_order_relaxed); }
  /// In a stopped program.
  void set_object_size(std::size_t size) noexcept;
  /// The first of its regions, linked by `next`; regions are only ever added.
  const Region* first_region() const noexcept { return first_region_.load(std::memory_order_acquire); }
  template <class Visit>
  void for_each_region(Visit&& visit) {
    for (Region* region = first_region_.load(std::memory_order_acquire); region != nullptr;
         region = region->next.load())
      visit(*region);
  }

  /// A slab with room, which the caller owns from now on. `spent`, if any, is one it owns and gives up for it. Throws
  /// std::bad_alloc; `spent` is still the caller's then.
  Slab& exchange(Slab* spent);
  /// Region::narrow under the lock.
  void narrow(Region& region) noexcept;
  /// The caller, who owns the slab, gives it up.
  void give_up(Slab& slab) noexcept;

  /// Frees a slot of a slab that the calling thread does not own. The slot is live.
  void free_from_outside(Slab& slab, std::uint32_t number) noexcept;
  /// How many free slots make it worth while to take a slab up again.
  std::uint32_t worthwhile() const noexcept { return worthwhile_; }

  std::atomic<Pool*> next_of_class{nullptr};  ///< the class's next pool; set once

 private:
  struct List {
    Slab* first = nullptr;
    std::size_t count = 0;
    void add(Slab& slab) noexcept;
    void remove(Slab& slab) noexcept;
  };
  struct Slabs {
    List partial;
    List empty;
    List discarded;
    Region* newest = nullptr;
    std::size_t in_use = 0;  ///< slabs that are neither empty nor discarded
  };

  /// Empty slabs on their way back to the system, in no list.
  struct Surplus {
    static constexpr std::size_t most = 16;
    std::array<Slab*, most> slabs{};
    std::size_t count = 0;
  };

  template <class Act>
  void change(Act&& act) noexcept;
  Surplus take_surplus(Slabs& slabs) const noexcept;
  void give_back(Surplus& surplus) noexcept;
  void look_at_signalled(Slabs& slabs) noexcept;
  void sort_in(Slabs& slabs, Slab& slab) noexcept;
  void add_empty(Slabs& slabs, Slab& slab) noexcept;
  Slab* take(Slabs& slabs, bool& is_bare) noexcept;
  Slab* take_without_memory(Slabs& slabs) noexcept;
  bool is_worth_telling(std::uint64_t freed_bits) const noexcept;
  void signal(Slab& slab) noexcept;
  void release_if_empty(Slab& slab) noexcept;

  const ClassPools& class_pools_;
  std::uint32_t id_;
  SlotShape shape_;
  Geometry cut_;
  bool poisons_;
  std::atomic<std::uint8_t> care_{0};
  std::atomic<std::size_t> object_size_;
  Contents contents_;
  std::uint32_t worthwhile_;
  int telling_;  ///< so many freed slots among 64 are told of
  std::atomic<Region*> first_region_{nullptr};
  std::atomic<Slab*> signalled_{nullptr};
  Guarded<Slabs> slabs_;
};

}  // namespace moult::internal
