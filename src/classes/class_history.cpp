#include "classes/class_history.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/guarded.hpp"

namespace moult::internal {
namespace {

struct Noted {
  std::uint64_t number = 0;
  RedefinedClass redefined;
};

struct History {
  std::uint64_t last = 0;
  std::vector<Noted> in_force;
};

Guarded<History>& history() {
  static Guarded<History>& only = *new Guarded<History>();
  return only;
}

const ClassName& old_of(const RedefinedClass& redefined) { return redefined.old_class; }
const ClassName& replacement_of(const RedefinedClass& redefined) { return redefined.replacement.name; }

/// From one class to the next: the redefinitions whose `near` is the class, then those whose `near` is their `far`.
std::vector<RedefinedClass> follow(const ClassName& name, const ClassName& (*near)(const RedefinedClass&),
                                   const ClassName& (*far)(const RedefinedClass&)) {
  return history().with([&](const History& known) {
    std::vector<RedefinedClass> found;
    std::set<std::uint64_t> seen;
    std::vector<ClassName> ahead{name};
    while (!ahead.empty()) {
      const ClassName at = std::move(ahead.back());
      ahead.pop_back();
      for (const Noted& each : known.in_force) {
        if (near(each.redefined) != at || !seen.insert(each.number).second) continue;
        found.push_back(each.redefined);
        ahead.push_back(far(each.redefined));
      }
    }
    return found;
  });
}

}  // namespace

std::vector<RedefinedClass> predecessors_of(const ClassName& name) { return follow(name, replacement_of, old_of); }

std::vector<RedefinedClass> successors_of(const ClassName& name) { return follow(name, old_of, replacement_of); }

std::uint64_t note_redefined(RedefinedClass redefined, Transaction* transaction) {
  const std::uint64_t number = history().with([](History& known) { return ++known.last; });
  if (transaction != nullptr)
    transaction->add({.what = {}, .check = {}, .undo = [number] { forget_redefined(number); }});
  history().with([&](History& known) { known.in_force.push_back({number, std::move(redefined)}); });
  return number;
}

void forget_redefined(std::uint64_t number) noexcept {
  history().with([number](History& known) {
    std::erase_if(known.in_force, [number](const Noted& each) { return each.number == number; });
  });
}

}  // namespace moult::internal
