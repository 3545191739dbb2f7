#include "pools/live_objects.hpp"

#include <algorithm>

#include "base/opaque.hpp"
#include "moult/data_access.hpp"
#include "platform/reserved_memory.hpp"
#include "pools/class_pools.hpp"
#include "threads/current_stop.hpp"

namespace moult {
namespace internal {
namespace {

/// The offset of the wanted class in an object of the held one; nothing when it is no base of it.
std::optional<std::ptrdiff_t> offset_in(const ObjectClass& held, const ObjectClass& wanted, Subclasses subclasses) {
  if (&held == &wanted) return 0;
  if (subclasses == Subclasses::excluded) return std::nullopt;
  auto base = std::find_if(held.bases.begin(), held.bases.end(),
                           [&](const FixedBase& candidate) { return candidate.mangled == wanted.mangled; });
  if (base == held.bases.end()) return std::nullopt;
  return base->offset;
}

void add_sources(Pool& pool, const ObjectClass& wanted, Subclasses subclasses, std::vector<Source>& sources) {
  const Contents& contents = pool.contents();
  Portion usual = contents.other == nullptr ? Portion::all : Portion::usual;
  if (std::optional<std::ptrdiff_t> offset = offset_in(*contents.usual, wanted, subclasses))
    sources.push_back({&pool, usual, *offset, contents.usual});
  if (contents.other == nullptr) return;
  if (std::optional<std::ptrdiff_t> offset = offset_in(*contents.other, wanted, subclasses))
    sources.push_back({&pool, Portion::other, *offset, contents.other});
}

PoolStatistics statistics_of(const Pool& pool) {
  PoolStatistics found;
  found.class_name = pool.object_class().name.text();
  found.is_of_subclass = pool.is_of_subclass();
  const Contents& contents = pool.contents();
  const bool is_mixed = contents.other != nullptr;
  const Portion usual = is_mixed ? Portion::usual : Portion::all;
  found.held.push_back({contents.usual->name.text(), count_live(pool, usual), contents.usual_size});
  if (is_mixed)
    found.held.push_back({contents.other->name.text(), count_live(pool, Portion::other), contents.other_size});
  found.slot_size = pool.cut().slot_size;
  for (const Region* region = pool.first_region(); region != nullptr; region = region->next.load()) {
    found.reserved += region->reserved_bytes();
    found.resident += resident_bytes(region->slots_begin(), region->used_slot_bytes());
    found.metadata += resident_bytes(region->records(), region->committed_record_bytes());
  }
  return found;
}

}  // namespace

std::vector<Source> sources_of(const ObjectClass& wanted, Subclasses subclasses) {
  std::vector<Source> sources;
  for (ClassPools* each : all_class_pools())
    each->for_each([&](Pool& pool) {
      // The other pools hold only objects of subclasses.
      if (&pool == &each->own || subclasses == Subclasses::included) add_sources(pool, wanted, subclasses, sources);
    });
  return sources;
}

std::optional<Slot> slot_around(const Pool& pool, const StoppedWorld&, const void* address) noexcept {
  const Geometry& cut = pool.cut();
  const Region* region = pool.first_region();
  while (region != nullptr && !region->contains(address)) region = region->next.load();
  if (region == nullptr || region->index_of(address) >= region->slabs_end()) return std::nullopt;
  std::uint32_t number = cut.slot_at(Region::offset_of(address) & cut.offset_mask);
  if (number >= cut.slots) return std::nullopt;
  return Slot{&region->slab_of(address), number};
}

std::optional<Slot> find_live(const Pool& pool, Portion portion, const StoppedWorld& stopped,
                              const void* address) noexcept {
  std::optional<Slot> found = slot_around(pool, stopped, address);
  if (!found || found->begin(pool) != address) return std::nullopt;
  const Region& region = Region::of(address);
  std::uint64_t live = region.live(region.index_of(address), found->number / 64, portion);
  return (live >> (found->number % 64) & 1) != 0 ? found : std::nullopt;
}

std::size_t count_live(const Pool& pool, Portion portion) noexcept {
  std::size_t count = 0;
  for (const Region* region = pool.first_region(); region != nullptr; region = region->next.load())
    for (std::uint32_t index = 0; index < region->slabs_end(); ++index)
      for (std::uint32_t word = 0; word < region->cut().words(); ++word)
        count += count_ones(region->live(index, word, portion));
  return count;
}

std::vector<PoolStatistics> pool_statistics() {
  std::vector<PoolStatistics> all;
  for (const ClassPools* each : all_class_pools())
    each->for_each([&](const Pool& pool) { all.push_back(statistics_of(pool)); });
  return all;
}

}  // namespace internal

std::vector<void*> detail::live_objects(const detail::OpaquePool& own, const Enumeration& options) {
  const internal::ObjectClass& wanted = internal::behind<internal::Pool>(own).object_class();
  std::size_t expected = 1024;
  for (const internal::Source& source : internal::sources_of(wanted, options.subclasses))
    expected += internal::count_live(*source.pool, source.portion);
  // Written to now, so that the stop causes no page faults in it.
  std::vector<void*> found(expected + expected / 8);
  std::size_t count = 0;
  internal::in_stopped_world({.timeout = options.timeout, .keep_out = {}}, [&](const internal::StoppedWorld& stopped) {
    for (const internal::Source& source : internal::sources_of(wanted, options.subclasses))
      internal::for_each_live(*source.pool, source.portion, stopped, [&](std::byte* slot) {
        if (count == found.size()) found.resize(2 * count);
        found[count++] = slot + source.offset;
      });
  });
  found.resize(count);
  return found;
}

}  // namespace moult
