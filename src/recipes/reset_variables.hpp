// Variables that an edit gives their new initial values (--reset), and the way back.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/transaction.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

struct ResetVariable {
  std::string name;
  std::byte* place = nullptr;
  std::vector<std::byte> value;
};

/// Writes the values, and records in the transaction how to take them back. A rollback leaves a variable alone, with a
/// warning, that the program has given another value since.
void reset_variables(const StoppedWorld& stopped, std::span<const ResetVariable* const> variables,
                     Transaction& transaction);

}  // namespace moult::internal
