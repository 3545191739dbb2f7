#include "control/live.hpp"
#include "convert/lazy_conversion.hpp"
#include "convert/page_server.hpp"
#include "pools/statistics.hpp"

namespace moult::internal {
namespace {

PoolRecord to_record(const PoolStatistics& pool) {
  PoolRecord record{.class_name = pool.class_name,
                    .of_subclass = pool.is_of_subclass,
                    .held = {},
                    .slot_size = pool.slot_size,
                    .reserved = pool.reserved,
                    .resident = pool.resident,
                    .metadata = pool.metadata};
  for (const HeldObjects& held : pool.held) record.held.push_back({held.class_name, held.live, held.object_size});
  return record;
}

WaitingRecord to_record(const LazyConversion& conversion) {
  const LazyProgress progress = conversion.progress();
  return {.old_class = conversion.old_class().readable,
          .new_class = conversion.new_class().readable,
          .objects = progress.objects,
          .converted = progress.converted_objects,
          .failed = progress.failed_objects,
          .chunks = progress.chunks,
          .converted_chunks = progress.converted_chunks,
          .drained = conversion.is_drained()};
}

}  // namespace

ObjectsReply native_objects() {
  ObjectsReply reply;
  for (const PoolStatistics& pool : pool_statistics()) reply.pools.push_back(to_record(pool));
  for (const auto& each : PageServer::unfinished()) reply.waiting.push_back(to_record(*each));
  return reply;
}

}  // namespace moult::internal
