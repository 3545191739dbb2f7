// Modules that stay loaded because code in them was changed or is jumped to.
#pragma once

#include <span>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

/// While it lives, dlclose by the program does not unload them.
class ModuleHold final {
 public:
  ModuleHold() noexcept = default;
  /// The modules that these addresses are in; what lies in none is left out. Throws Error (not_found) when one is being
  /// unloaded.
  explicit ModuleHold(std::vector<CodeAddress> addresses);
  ModuleHold(ModuleHold&& other) noexcept = default;
  ModuleHold& operator=(ModuleHold&&) = delete;
  ~ModuleHold();

  /// They stay loaded for ever.
  void keep() noexcept { handles_.clear(); }

 private:
  std::vector<void*> handles_;
};

}  // namespace moult::internal
