// Which memory may be read. The first two functions do not allocate, so they may be called in a stopped program and in
// a signal handler.
#pragma once

#include <cstdint>
#include <vector>

namespace moult::internal {

/// Whether the byte at `address` can be read. One system call, no file.
bool is_readable(std::uintptr_t address) noexcept;

/// The end of the readable mapping that contains `address`, according to the memory map; 0 if there is none.
std::uintptr_t readable_until(std::uintptr_t address) noexcept;

struct MemoryRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool is_writable = false;
};
/// All memory that the process can read now, by address; neighbours that are equally writable become one range. Devices
/// are left out, because reading them may have effects. Allocates. Throws Error (system).
std::vector<MemoryRange> readable_memory();

}  // namespace moult::internal
