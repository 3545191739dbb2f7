// Keeps modules loaded because code in them was changed or is the target of a jump.
#pragma once

#include <span>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

/// Identifies the loaded module that contains `address`; null if none does. Takes no lock.
const void* module_with(const void* address) noexcept;

/// While it exists, dlclose by the program does not unload the modules.
class ModuleHold final {
 public:
  ModuleHold() noexcept = default;
  /// Holds the modules that contain these addresses; addresses in no module are ignored. Throws Error (not_found) if
  /// one of the modules is being unloaded.
  explicit ModuleHold(std::vector<CodeAddress> addresses);
  ModuleHold(ModuleHold&& other) noexcept = default;
  ModuleHold& operator=(ModuleHold&&) = delete;
  ~ModuleHold();

  /// The modules stay loaded for ever.
  void keep() noexcept { handles_.clear(); }

 private:
  std::vector<void*> handles_;
};

}  // namespace moult::internal
