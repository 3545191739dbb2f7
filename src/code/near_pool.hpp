// Jump slots, each within reach of the function whose entry jumps through it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "platform/memory.hpp"
#include "platform/x86_64/encodings.hpp"

namespace moult::internal {

/// Places where `size` bytes could be mapped no further than `reach` from `around`, at most one in each gap. Places
/// below `around` come first, the nearest first. Whole pages. `mappings` is sorted.
std::vector<std::uintptr_t> free_places(const std::vector<Mapping>& mappings, std::uintptr_t around, std::size_t size,
                                        std::size_t reach);

/// How often the search is repeated: other threads may map memory at the same time.
inline constexpr int most_mapping_rounds = 4;

inline std::uintptr_t distance_between(std::uintptr_t a, std::uintptr_t b) noexcept { return a < b ? b - a : a - b; }

/// Not safe for several threads: the owner locks.
class NearPool final {
 public:
  using OnRegion = std::function<void(CodeRange)>;

  /// `on_region` is called with every range of address space taken, before a slot of it is used.
  NearPool(const AddressSpace& space, OnRegion on_region);
  /// Releases the address space. No slot may be in use.
  ~NearPool();
  NearPool(const NearPool&) = delete;
  NearPool& operator=(const NearPool&) = delete;

  /// A slot that leads to `target` and is within reach of a jump within 16 bytes of `place`. It can be used after
  /// seal(). Throws Error: no_room, naming `name`; system.
  const x86_64::JumpSlot* take(const std::string& name, CodeAddress place, CodeAddress target);
  /// Frees a slot: no jump leads to or through it any more, and no thread is inside it.
  void give_back(const x86_64::JumpSlot* slot) noexcept;
  /// Makes the slots taken since the last call executable and no longer writable. Throws Error (system).
  void seal();

  std::size_t slots_in_use() const noexcept;

 private:
  struct Region {
    std::uintptr_t begin = 0;
    std::size_t size = 0;
    std::vector<std::uint32_t> free;  ///< numbers of slots; has room for all of them, so that give_back cannot fail
    bool is_open = true;              ///< writable
  };

  Region& region_for(const std::string& name, CodeAddress place);
  Region* map_region(CodeAddress place, std::size_t size);
  void announce(const Region& region);
  void open(Region& region);

  const AddressSpace& space_;
  OnRegion on_region_;
  std::vector<Region> regions_;
};

}  // namespace moult::internal
