// Why: a jump with a 32-bit displacement reaches 2 GB, and a shared object that is loaded later usually lies terabytes
// away from the program.
//
// How: the gaps between the lines of the memory map are tried with MAP_FIXED_NOREPLACE, from the function outwards. If
// another thread maps memory there meanwhile, that costs another try and never that thread's pages. Gaps below the
// function come first, because the heap grows above it. Regions are private anonymous memory, not a shared file mapped
// twice: a forked child that updates itself must not rewrite its parent's jumps. Their pages are writable only while
// slots are filled.
//
// Limits: there is no room if the program's own mappings fill the 4 GB around a function.
#include "code/near_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t region_size = 65536;
/// 2 GB, less the size of a region and of a function's first bytes.
constexpr std::size_t reach = (std::size_t{1} << 31) - 2 * region_size;
constexpr std::uintptr_t lowest = 65536;
constexpr std::uintptr_t highest = 0x7FFFFFFFF000;

constexpr Protection sealed = Protection::read | Protection::execute;

struct Gap {
  std::uintptr_t begin;
  std::uintptr_t end;
  bool is_above_heap;
};

std::vector<Gap> gaps_between(const std::vector<Mapping>& mappings, std::uintptr_t low, std::uintptr_t high) {
  std::vector<Gap> gaps;
  std::uintptr_t begin = low;
  bool is_above_heap = false;
  for (const Mapping& mapping : mappings) {
    if (mapping.begin > begin) gaps.push_back({begin, std::min(mapping.begin, high), is_above_heap});
    begin = std::max(begin, mapping.end);
    is_above_heap = mapping.path == "[heap]";
    if (begin >= high) return gaps;
  }
  gaps.push_back({begin, high, is_above_heap});
  return gaps;
}

std::uintptr_t address_of(const x86_64::JumpSlot* slot) noexcept { return reinterpret_cast<std::uintptr_t>(slot); }

}  // namespace

std::vector<std::uintptr_t> free_places(const std::vector<Mapping>& mappings, std::uintptr_t around, std::size_t size,
                                        std::size_t reach_wanted) {
  std::size_t page = page_size();
  std::uintptr_t low = std::max(around > reach_wanted ? around - reach_wanted : 0, lowest);
  std::uintptr_t high = std::min(around + reach_wanted, highest);
  std::vector<std::uintptr_t> places;
  for (const Gap& gap : gaps_between(mappings, low, high)) {
    std::uintptr_t first = (gap.begin + page - 1) / page * page;
    if (gap.end < first || gap.end - first < size) continue;
    std::uintptr_t last = (gap.end - size) / page * page;
    places.push_back(gap.end <= around || gap.is_above_heap ? last : first);
  }
  std::sort(places.begin(), places.end(), [&](std::uintptr_t a, std::uintptr_t b) {
    if ((a < around) != (b < around)) return a < around;
    return distance_between(a, around) < distance_between(b, around);
  });
  return places;
}

NearPool::NearPool(const AddressSpace& space, OnRegion on_region) : space_(space), on_region_(std::move(on_region)) {}

NearPool::~NearPool() {
  for (const Region& region : regions_) space_.unmap(region.begin, region.size);
}

const x86_64::JumpSlot* NearPool::take(const std::string& name, CodeAddress place, CodeAddress target) {
  Region& region = region_for(name, place);
  open(region);
  std::uint32_t number = region.free.back();
  region.free.pop_back();
  std::uintptr_t address = region.begin + number * sizeof(x86_64::JumpSlot);
  x86_64::JumpSlot* slot = reinterpret_cast<x86_64::JumpSlot*>(address);
  *slot = x86_64::JumpSlot{.target = value(target)};
  return slot;
}

void NearPool::give_back(const x86_64::JumpSlot* slot) noexcept {
  for (Region& region : regions_) {
    std::uintptr_t offset = address_of(slot) - region.begin;
    if (offset >= region.size) continue;
    region.free.push_back(static_cast<std::uint32_t>(offset / sizeof(x86_64::JumpSlot)));
    return;
  }
  MOULT_CHECK(false, "a jump slot was given back to a pool that it is not from");
}

void NearPool::seal() {
  MOULT_FAULT("code.near_pool.seal");
  for (Region& region : regions_) {
    if (!region.is_open) continue;
    if (!space_.protect(region.begin, region.size, sealed))
      throw Error(ErrorCode::system, std::string("jump slots cannot be made executable: ") + std::strerror(errno) +
                                         "; the system's security policy must allow it (execmem)");
    region.is_open = false;
  }
}

std::size_t NearPool::slots_in_use() const noexcept {
  std::size_t count = 0;
  for (const Region& region : regions_) count += region.size / sizeof(x86_64::JumpSlot) - region.free.size();
  return count;
}

NearPool::Region& NearPool::region_for(const std::string& name, CodeAddress place) {
  MOULT_FAULT("code.near_pool.find_region");
  for (Region& region : regions_)
    if (!region.free.empty() && distance_between(region.begin, value(place)) < reach) return region;
  for (std::size_t size : {region_size, page_size()})
    if (Region* region = map_region(place, size)) return *region;
  throw Error(ErrorCode::no_room, name + ": no free address space within 2 GB of its code at " +
                                      hex_text(value(place)) +
                                      "; the jump to its replacement needs a page there: unmap something near it, or "
                                      "redefine its callers instead");
}

NearPool::Region* NearPool::map_region(CodeAddress place, std::size_t size) {
  for (int round = 0; round < most_mapping_rounds; ++round) {
    std::vector<std::uintptr_t> places = free_places(space_.mappings(), value(place), size, reach);
    if (places.empty()) return nullptr;
    Region region{.begin = 0, .size = size, .free = {}, .is_open = true};
    for (std::size_t number = size / sizeof(x86_64::JumpSlot); number > 0; --number)
      region.free.push_back(static_cast<std::uint32_t>(number - 1));
    regions_.reserve(regions_.size() + 1);
    for (std::uintptr_t begin : places) {
      if (!space_.map_at(begin, size, Protection::read | Protection::write)) continue;
      region.begin = begin;
      announce(region);
      regions_.push_back(std::move(region));
      return &regions_.back();
    }
  }
  return nullptr;
}

void NearPool::announce(const Region& region) {
  if (!on_region_) return;
  try {
    on_region_({CodeAddress{region.begin}, CodeAddress{region.begin + region.size}});
  } catch (...) {
    space_.unmap(region.begin, region.size);
    throw;
  }
}

void NearPool::open(Region& region) {
  if (region.is_open) return;
  MOULT_FAULT("code.near_pool.open");
  // Threads may be jumping through slots of this region, so it stays executable.
  if (!space_.protect(region.begin, region.size, sealed | Protection::write))
    throw Error(ErrorCode::system, std::string("jump slots cannot be made writable: ") + std::strerror(errno) +
                                       "; the system's security policy must allow it (execmem)");
  region.is_open = true;
}

}  // namespace moult::internal
