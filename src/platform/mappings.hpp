// What may be read of memory. The first two are found out without allocating: for use in a stopped program and in a
// signal handler.
#pragma once

#include <cstdint>
#include <vector>

namespace moult::internal {

/// True when the byte at `address` can be read. One system call, no file.
bool is_readable(std::uintptr_t address) noexcept;

/// The end of the readable mapping that contains `address`, as /proc/self/maps says; 0 when there is none.
std::uintptr_t readable_until(std::uintptr_t address) noexcept;

struct MemoryRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool is_writable = false;
};
/// All that the process can read now, by address; neighbours that can be written alike are one. Devices are left out:
/// to read them may do something. Allocates. Throws Error: system.
std::vector<MemoryRange> readable_memory();

}  // namespace moult::internal
