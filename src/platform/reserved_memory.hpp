// Address space that is reserved first and filled with memory in parts.
#pragma once

#include <cstddef>

namespace moult::internal {

/// Reserves `size` bytes at a multiple of `alignment`, a power of two. An access there faults. Whole pages. Null if
/// there is no room.
std::byte* reserve(std::size_t size, std::size_t alignment) noexcept;
/// Releases all of it.
void unreserve(std::byte* begin, std::size_t size) noexcept;

/// Turns reserved pages into zeroed memory, readable and writable. False if the kernel cannot promise the memory.
bool commit(std::byte* begin, std::size_t size) noexcept;
/// The opposite, for pages that were never accessed.
void uncommit(std::byte* begin, std::size_t size) noexcept;
/// Whether committed pages cost nothing until they are accessed: the kernel does not count its promises, and the
/// process locks nothing in memory. False if the kernel does not tell.
bool promises_are_free() noexcept;
/// Brings committed pages into memory before they are accessed: one call instead of a fault for each. A hint.
void populate(std::byte* begin, std::size_t size) noexcept;
/// Returns the memory of committed pages to the system. They stay committed and read as zeros.
void discard(std::byte* begin, std::size_t size) noexcept;

/// Moves the memory of committed pages to the pages at `to`, which are committed then; their own memory is released.
/// The pages at `from` stay committed and read as zeros. The kernel moves a whole page table at a time if the range
/// includes all of it: one of 1 GiB in five microseconds, one of 2 MiB in half a microsecond. For that both addresses
/// must have the same offset from such a table's beginning. False, and nothing was moved, if the kernel has not enough
/// memory.
bool move_pages(std::byte* from, std::byte* to, std::size_t size) noexcept;

/// The number of these bytes that are in memory now, in whole pages.
std::size_t resident_bytes(const std::byte* begin, std::size_t size) noexcept;

}  // namespace moult::internal
