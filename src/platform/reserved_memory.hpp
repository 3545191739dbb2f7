// Address space that is reserved first and filled with memory in parts.
#pragma once

#include <cstddef>

namespace moult::internal {

/// Sets aside `size` bytes that begin at a multiple of `alignment`, a power of two; touching them faults. Whole pages.
/// Null when there is no such room.
std::byte* reserve(std::size_t size, std::size_t alignment) noexcept;
/// Gives all of it back.
void unreserve(std::byte* begin, std::size_t size) noexcept;

/// Makes reserved pages zeroed memory, readable and writable. False when the kernel has none to promise.
bool commit(std::byte* begin, std::size_t size) noexcept;
/// The opposite, of pages that were never touched.
void uncommit(std::byte* begin, std::size_t size) noexcept;
/// Whether to commit pages costs nothing as long as they are not touched: the kernel does not count what it promises,
/// and the process keeps nothing locked in memory. False when the kernel does not tell.
bool promises_are_free() noexcept;
/// Has committed pages in memory before they are touched: one call instead of a fault for each. A hint.
void populate(std::byte* begin, std::size_t size) noexcept;
/// Gives the memory of committed pages back to the system; they stay committed, and read as zeros.
void discard(std::byte* begin, std::size_t size) noexcept;

/// Moves the memory of committed pages to others at `to`, whose own is given back, and which are committed then; at
/// `from` they stay committed and read as zeros. The kernel moves a table at a time where the range has all of it: of
/// 1 GiB in five microseconds, of 2 MiB in half a one; both addresses must be as far from such a table's beginning.
/// False, and nothing moved, when the kernel has not the memory for that.
bool move_pages(std::byte* from, std::byte* to, std::size_t size) noexcept;

/// How many of these bytes are in memory now, in whole pages.
std::size_t resident_bytes(const std::byte* begin, std::size_t size) noexcept;

}  // namespace moult::internal
