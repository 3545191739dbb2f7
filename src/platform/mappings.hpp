// What /proc/self/maps says of one address, read without allocating: for use in a stopped program.
#pragma once

#include <cstdint>

namespace moult::platform {

/// The end of the readable mapping that contains `address`; 0 when there is none.
std::uintptr_t readable_until(std::uintptr_t address) noexcept;

}  // namespace moult::platform
