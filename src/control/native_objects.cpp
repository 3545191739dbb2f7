#include "control/native.hpp"
#include "data/lazy_conversion.hpp"
#include "data/page_server.hpp"
#include "data/statistics.hpp"

namespace moult::control {
namespace {

protocol::PoolRecord to_record(const data::PoolStatistics& pool) {
  protocol::PoolRecord record{.class_name = pool.class_name,
                              .of_subclass = pool.is_of_subclass,
                              .held = {},
                              .slot_size = pool.slot_size,
                              .reserved = pool.reserved,
                              .resident = pool.resident,
                              .metadata = pool.metadata};
  for (const data::HeldObjects& held : pool.held) record.held.push_back({held.class_name, held.live, held.object_size});
  return record;
}

protocol::WaitingRecord to_record(const data::LazyConversion& conversion) {
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

protocol::ObjectsReply native_objects() {
  protocol::ObjectsReply reply;
  for (const data::PoolStatistics& pool : data::pool_statistics()) reply.pools.push_back(to_record(pool));
  for (const auto& each : data::PageServer::unfinished()) reply.waiting.push_back(to_record(*each));
  return reply;
}

}  // namespace moult::control
