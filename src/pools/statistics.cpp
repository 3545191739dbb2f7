#include "pools/statistics.hpp"

#include "platform/reserved_memory.hpp"
#include "pools/class_pools.hpp"
#include "pools/live_objects.hpp"

namespace moult::internal {
namespace {

PoolStatistics statistics_of(const Pool& pool) {
  PoolStatistics found;
  found.class_name = pool.class_pools().object_class.readable;
  found.is_of_subclass = &pool != &pool.class_pools().own;
  const Contents& contents = pool.contents();
  const bool is_mixed = contents.other != nullptr;
  const Portion usual = is_mixed ? Portion::usual : Portion::all;
  found.held.push_back({contents.usual->readable, count_live(pool, usual), contents.usual_size});
  if (is_mixed) found.held.push_back({contents.other->readable, count_live(pool, Portion::other), contents.other_size});
  found.slot_size = pool.cut().slot_size;
  for (const Region* region = pool.first_region(); region != nullptr; region = region->next.load()) {
    found.reserved += region->reserved_bytes();
    found.resident += resident_bytes(region->slots_begin(), region->used_slot_bytes());
    found.metadata += resident_bytes(region->records(), region->committed_record_bytes());
  }
  return found;
}

}  // namespace

std::vector<PoolStatistics> pool_statistics() {
  std::vector<PoolStatistics> all;
  for (const ClassPools* each : all_class_pools())
    each->for_each([&](const Pool& pool) { all.push_back(statistics_of(pool)); });
  return all;
}

}  // namespace moult::internal
