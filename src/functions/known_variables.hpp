// The variables that moult::variable has found, by their addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace moult::internal {

struct KnownVariable {
  std::uintptr_t address = 0;
  std::size_t size = 0;
  std::string name;  ///< "app::limit"
  std::string type;
};

/// Remembers it to the end of the process. From any thread, like the other.
void note_known_variable(KnownVariable variable);

/// The variable that contains those bytes.
std::optional<KnownVariable> known_variable_at(std::uintptr_t address, std::size_t size);

}  // namespace moult::internal
