// This process's memory by way of the kernel, which says no where a plain access would end the program: for addresses
// that come from a stopped thread's registers, from debug information or from the program's own pointers.
//
// Plain accesses of the address sanitizer's programs stumble over its markers between variables as well; these do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace moult::internal {

/// Copies what is at `address` to `to`; false when not all of it can be read. Allocates nothing and takes no lock.
bool read_memory(std::uintptr_t address, std::span<std::byte> to) noexcept;

/// Copies `from` to `address`; false when not all of it can be written, and then some may have been.
bool write_memory(std::uintptr_t address, std::span<const std::byte> from) noexcept;

}  // namespace moult::internal
