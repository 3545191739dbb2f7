#include "recipes/edit_origins.hpp"

#include <utility>

#include "base/guarded.hpp"
#include "lifecycle/update_registry.hpp"

namespace moult::internal {
namespace {

using Origins = std::map<std::uint64_t, EditOrigin>;

/// Never destroyed, like the updates.
Guarded<Origins>& origins() {
  static Guarded<Origins>& only = *new Guarded<Origins>();
  return only;
}

}  // namespace

/// Refused updates must not make a long-running program grow, so those that are not reported any more are forgotten.
void note_origin(std::uint64_t update, EditOrigin origin) {
  origins().with([&](Origins& all) {
    std::erase_if(all, [](const auto& each) { return !update_registry().report(each.first); });
    all.insert_or_assign(update, std::move(origin));
  });
}

std::map<std::uint64_t, EditOrigin> origins_of_updates() {
  return origins().with([](const Origins& all) { return all; });
}

}  // namespace moult::internal
