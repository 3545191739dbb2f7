// The slots of one size for the objects of one class: which thread owns which slab, and which memory goes back to the
// system.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/guarded.hpp"
#include "moult/detail/opaque.hpp"
#include "pools/object_class.hpp"
#include "pools/region.hpp"
#include "pools/slab.hpp"

namespace moult::internal {

/// The slots that a pool is made for. `alignment` is a power of two.
struct SlotShape {
  std::size_t object_size = 0;
  std::size_t alignment = 0;
  std::size_t reserve = 0;  ///< bytes by which an object may grow

  /// At least smallest_slot; 0 when it fits no slab.
  std::size_t slot_size() const noexcept;
  /// The alignment of every slot: with a reserve at least that of the global operator new.
  std::size_t slot_alignment() const noexcept { return slot_size() & (~slot_size() + 1); }
};

/// The classes of a pool's objects. At first that is the class for which the pool was made. A conversion changes it,
/// for all objects or only for those that lived then: afterwards the pool holds objects of two classes.
struct Contents {
  const ObjectClass* usual = nullptr;  ///< of objects without a set `other` bit, and of new ones
  const ObjectClass* other = nullptr;  ///< of the rest; null when no bit was ever set
  std::size_t usual_size = 0;          ///< bytes of an object of the usual class
  std::size_t other_size = 0;
};

/// Safe for several threads. A pool lives as long as the process.
class Pool final : public detail::OpaquePool {
 public:
  enum class For { the_class, subclasses };

  /// `object_class` derives from Updatable. `id` counts the pools of the process from 0. `shape` has a slot size.
  Pool(const ObjectClass& object_class, For whom, std::uint32_t id, const SlotShape& shape) noexcept;

  /// The class that derives from Updatable. contents() says of which class the objects are now.
  const ObjectClass& object_class() const noexcept { return object_class_; }
  /// Whether the pool is for the class's subclasses of this size and alignment.
  bool is_of_subclass() const noexcept { return for_ == For::subclasses; }
  std::uint32_t id() const noexcept { return id_; }
  const SlotShape& shape() const noexcept { return shape_; }
  const Geometry& cut() const noexcept { return cut_; }
  /// Whether the pool reports each birth and death to the address sanitizer.
  bool poisons() const noexcept { return poisons_; }

  /// Not during set_contents in another thread.
  const Contents& contents() const noexcept { return contents_; }
  /// The objects of that class; nothing when there can be none.
  std::optional<Portion> portion_of(const ObjectClass& wanted) const noexcept;
  /// In a stopped program.
  void set_contents(const Contents& contents) noexcept;
  /// Work before a slot is freed: a set of these bits, for most pools none.
  enum Care : std::uint8_t {
    clear_other = 1,  ///< the `other` bit may be set
    fault_in = 2,     ///< the slab may be pending: a read waits for its conversion
    drop_values = 4,  ///< the object may have values in side tables (side_table.hpp)
  };
  std::uint8_t care() const noexcept { return care_.load(std::memory_order_relaxed); }
  /// Takes effect in every thread whose deletion depends on a store made after this call.
  void add_care(Care care) noexcept { care_.fetch_or(care); }
  void drop_care(Care care) noexcept { care_.fetch_and(static_cast<std::uint8_t>(~care)); }
  /// Bytes of a new object.
  std::size_t object_size() const noexcept { return object_size_.load(std::memory_order_relaxed); }
  /// In a stopped program.
  void set_object_size(std::size_t size) noexcept;
  /// The first region. Regions are linked by `next`, and never removed.
  const Region* first_region() const noexcept { return first_region_.load(std::memory_order_acquire); }
  template <class Visit>
  void for_each_region(Visit&& visit) {
    for (Region* region = first_region_.load(std::memory_order_acquire); region != nullptr;
         region = region->next.load())
      visit(*region);
  }

  /// A slab with room, which the calling thread owns from now on. It gives up its slab `used_up` for it, unless that is
  /// null. Throws std::bad_alloc; the thread still owns `used_up` then.
  Slab& exchange(Slab* used_up);
  /// Region::narrow, under the lock.
  void narrow(Region& region) noexcept;
  /// The calling thread owns the slab, and gives it up.
  void give_up(Slab& slab) noexcept;

  /// Frees a live slot of a slab that the calling thread does not own.
  void free_from_outside(Slab& slab, std::uint32_t number) noexcept;
  /// With this many free slots it pays to own a slab again.
  std::uint32_t worthwhile() const noexcept { return worthwhile_; }

  std::atomic<Pool*> next_of_class{nullptr};  ///< the next pool of the class; set once

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
    std::size_t in_use = 0;  ///< slabs, neither empty nor discarded
  };

  /// Empty slabs, taken from their list, whose memory goes back to the system.
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
  bool is_worth_signalling(std::uint64_t freed_bits) const noexcept;
  void signal(Slab& slab) noexcept;
  void release_if_empty(Slab& slab) noexcept;

  const ObjectClass& object_class_;
  For for_;
  std::uint32_t id_;
  SlotShape shape_;
  Geometry cut_;
  bool poisons_;
  std::atomic<std::uint8_t> care_{0};
  std::atomic<std::size_t> object_size_;
  Contents contents_;
  std::uint32_t worthwhile_;
  int signalled_from_;  ///< with this many freed slots among 64 the slab is signalled
  std::atomic<Region*> first_region_{nullptr};
  std::atomic<Slab*> signalled_{nullptr};
  Guarded<Slabs> slabs_;
};

}  // namespace moult::internal
