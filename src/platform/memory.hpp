// The process's address space: what is mapped where, protections, pages of our own, other cores' view of code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

/// A set of PROT_ bits; the values are the kernel's.
enum class Protection : int { none = 0, read = 1, write = 2, execute = 4 };
constexpr Protection operator|(Protection a, Protection b) noexcept {
  return static_cast<Protection>(static_cast<int>(a) | static_cast<int>(b));
}
constexpr bool allows(Protection all, Protection wanted) noexcept {
  return (static_cast<int>(all) & static_cast<int>(wanted)) == static_cast<int>(wanted);
}

/// One line of /proc/self/maps.
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  Protection protection = Protection::none;
  bool is_shared = false;
  std::string path;  ///< of the file, or "[heap]" and its like; empty for anonymous memory

  bool contains(std::uintptr_t address) const noexcept { return begin <= address && address < end; }
  bool operator==(const Mapping&) const = default;
};

/// Lines that are not understood are left out.
std::vector<Mapping> parse_mappings(std::string_view text);

/// The mapping that contains `address`, or null. `mappings` is sorted, as the kernel lists them.
const Mapping* find_mapping(const std::vector<Mapping>& mappings, std::uintptr_t address) noexcept;

/// Pages of address space, asked for and given back: the seam at which tests put a full address space.
struct AddressSpace {
  /// Sorted by address.
  std::function<std::vector<Mapping>()> mappings;
  /// Maps fresh private zeroed pages exactly there; false when something has been mapped there meanwhile or there is no
  /// memory. Addresses and sizes are whole pages.
  std::function<bool(std::uintptr_t begin, std::size_t size, Protection)> map_at;
  std::function<void(std::uintptr_t begin, std::size_t size)> unmap;
  /// False, with errno set, when the kernel refuses.
  std::function<bool(std::uintptr_t begin, std::size_t size, Protection)> protect;
};

/// This process's own. Its functions are safe in any thread.
const AddressSpace& address_space();

std::size_t page_size() noexcept;

/// Makes the pages of [begin, end) private to this process and present, by writing back the byte that is there in one
/// indivisible step. The pages must be writable; other threads may be executing them.
void make_present(std::uintptr_t begin, std::uintptr_t end) noexcept;

/// Tells the kernel that sync_cores will be used. Any number of times. False when the kernel does not know the call;
/// sync_cores does nothing then.
bool register_core_sync() noexcept;

/// When it returns, no core of this process goes on executing instructions it had fetched before the call. On kernels
/// without it (before 4.16) it does nothing; threads stopped by a signal still see new code there: they come back
/// through rt_sigreturn, which ends in an iret, a serialising instruction.
void sync_cores() noexcept;

/// Has the C library's allocator give the pages it keeps free, in all its arenas, back to the system.
void give_free_memory_back() noexcept;

/// Copies what is at `address` to `to`; false when not all of it can be read. Allocates nothing and takes no lock.
bool read_memory(std::uintptr_t address, std::span<std::byte> to) noexcept;

/// Copies `from` to `address`; false when not all of it can be written, and then some may have been.
bool write_memory(std::uintptr_t address, std::span<const std::byte> from) noexcept;

}  // namespace moult::internal
