#include "convert/unfinished.hpp"

#include <chrono>
#include <memory>
#include <vector>

#include "convert/access_server.hpp"
#include "convert/lazy_conversion.hpp"
#include "convert/page_server.hpp"
#include "convert/progressive_access.hpp"
#include "moult/error.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

/// Those that have to do with pools which hold objects of the class.
template <class Server>
auto unfinished_of(const ObjectClass& wanted) {
  auto all = Server::unfinished();
  std::erase_if(all, [&](const auto& each) { return !each->concerns(wanted); });
  return all;
}

}  // namespace

void finish_lazy_conversions(const ObjectClass& old_class) {
  if (const StoppedWorld* stopped = internal::current_stop()) return finish_lazy_conversions(old_class, *stopped);
  for (const auto& each : unfinished_of<PageServer>(old_class)) each->drain();
}

void finish_lazy_conversions(const ObjectClass& old_class, const StoppedWorld& stopped) {
  for (const auto& each : unfinished_of<PageServer>(old_class)) each->drain(stopped);
  if (unfinished_of<PageServer>(old_class).empty()) return;
  throw Error(ErrorCode::unsupported,
              old_class.readable +
                  ": objects of its pool were converted at first use in this very stop, which "
                  "has to end before they are converted again; do that in an update of its own");
}

void finish_lazy_conversions() {
  if (const StoppedWorld* stopped = internal::current_stop()) return finish_lazy_conversions(*stopped);
  for (const auto& each : PageServer::unfinished()) each->drain();
}

void finish_lazy_conversions(const StoppedWorld& stopped) {
  for (const auto& each : PageServer::unfinished()) each->drain(stopped);
}

void finish_progressive_accesses(const ObjectClass& converted) {
  for (const auto& each : unfinished_of<AccessServer>(converted)) each->finish(std::chrono::seconds(1));
}

void finish_progressive_accesses(const ObjectClass& converted, const StoppedWorld& stopped) {
  for (const auto& each : unfinished_of<AccessServer>(converted)) each->finish(stopped);
}

}  // namespace moult::internal
