#include "recipes/edit_patches.hpp"

#include <utility>

#include "base/guarded.hpp"
#include "lifecycle/update_registry.hpp"

namespace moult::internal {
namespace {

using Patches = std::map<std::uint64_t, EditPatch>;

/// Never destroyed, like the updates.
Guarded<Patches>& patches() {
  static Guarded<Patches>& only = *new Guarded<Patches>();
  return only;
}

}  // namespace

/// Refused updates must not make a long-running program grow, so those that are not reported any more are forgotten.
void note_patch(std::uint64_t update, EditPatch patch) {
  patches().with([&](Patches& all) {
    std::erase_if(all, [](const auto& each) { return !update_registry().report(each.first); });
    all.insert_or_assign(update, std::move(patch));
  });
}

std::map<std::uint64_t, EditPatch> patches_of_updates() {
  return patches().with([](const Patches& all) { return all; });
}

}  // namespace moult::internal
