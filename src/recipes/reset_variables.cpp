#include "recipes/reset_variables.hpp"

#include <cstring>
#include <utility>

#include "base/warning.hpp"

namespace moult::internal {
namespace {

bool has_value(const std::byte* place, const std::vector<std::byte>& value) noexcept {
  return std::memcmp(place, value.data(), value.size()) == 0;
}

}  // namespace

void reset_variables(const StoppedWorld&, std::span<const ResetVariable* const> variables, Transaction& transaction) {
  for (const ResetVariable* const each : variables) {
    UndoStep step;
    step.what = {each->name + " set to its new initial value"};
    step.undo = [variable = *each, before = std::vector<std::byte>(each->place, each->place + each->value.size())] {
      if (has_value(variable.place, variable.value))
        std::memcpy(variable.place, before.data(), before.size());
      else
        warn(variable.name + ": keeps the value that the program has given it since the edit reset it");
    };
    transaction.add(std::move(step));
    std::memcpy(each->place, each->value.data(), each->value.size());
  }
}

}  // namespace moult::internal
