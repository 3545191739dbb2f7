#include "recipes/new_variables.hpp"

#include <exception>
#include <set>

#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "lifecycle/failure.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

/// By their places. Never destroyed, like the variables.
Guarded<std::set<const void*>>& begun() {
  static Guarded<std::set<const void*>>& only = *new Guarded<std::set<const void*>>();
  return only;
}

}  // namespace

void begin_variables(const std::vector<const NewVariable*>& variables, const std::string& edit) {
  for (const NewVariable* const each : variables) {
    if (each->begin == nullptr) continue;
    const bool is_new = begun().with([&](std::set<const void*>& all) { return all.insert(each->place).second; });
    if (!is_new) continue;
    try {
      MOULT_FAULT("recipes.edit.variable");
      each->begin();
    } catch (...) {
      begun().with([&](std::set<const void*>& all) { all.erase(each->place); });
      const StepFailure failure = describe(std::current_exception(), "its initialiser");
      throw Error(failure.code, edit + ": " + each->name + " could not be initialised: " + failure.reason);
    }
  }
}

}  // namespace moult::internal
