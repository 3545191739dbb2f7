// What may be read of memory, found out without allocating: for use in a stopped program and in a signal handler.
#pragma once

#include <cstdint>

namespace moult::platform {

/// True when the byte at `address` can be read. One system call, no file.
bool is_readable(std::uintptr_t address) noexcept;

/// The end of the readable mapping that contains `address`, as /proc/self/maps says; 0 when there is none.
std::uintptr_t readable_until(std::uintptr_t address) noexcept;

}  // namespace moult::platform
