// Whether what was read of the loaded modules still holds.
#pragma once

#include <cstdint>

namespace moult::internal {

/// Changes whenever a module is loaded or unloaded. Any thread; takes the loader's lock.
std::uint64_t module_generation();

}  // namespace moult::internal
