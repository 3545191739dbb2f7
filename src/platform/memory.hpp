// The process's address space: mappings, protections, pages of moult's own, and the cores' view of changed code.
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

/// One line of the memory map.
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  Protection protection = Protection::none;
  bool is_shared = false;
  std::string path;  ///< the file, or a name such as "[heap]"; empty for anonymous memory

  bool contains(std::uintptr_t address) const noexcept { return begin <= address && address < end; }
  bool operator==(const Mapping&) const = default;
};

/// Leaves out lines that it does not understand.
std::vector<Mapping> parse_mappings(std::string_view text);

/// The mapping that contains `address`, or null. `mappings` is sorted, as the kernel lists it.
const Mapping* find_mapping(const std::vector<Mapping>& mappings, std::uintptr_t address) noexcept;

/// Access to the address space. Tests replace it to simulate a full one.
struct AddressSpace {
  /// Sorted by address.
  std::function<std::vector<Mapping>()> mappings;
  /// Maps new private zeroed pages exactly there. False if another mapping is there by now or there is no memory.
  /// Addresses and sizes are whole pages.
  std::function<bool(std::uintptr_t begin, std::size_t size, Protection)> map_at;
  std::function<void(std::uintptr_t begin, std::size_t size)> unmap;
  /// False, with errno set, if the kernel refuses.
  std::function<bool(std::uintptr_t begin, std::size_t size, Protection)> protect;
};

/// This process's address space. Its functions may be called in any thread.
const AddressSpace& address_space();

std::size_t page_size() noexcept;

/// Makes the pages of [begin, end) private to this process and present, by writing one byte of each page back
/// atomically. The pages must be writable; other threads may be executing them.
void make_present(std::uintptr_t begin, std::uintptr_t end) noexcept;

/// Announces sync_cores to the kernel. May be repeated. False if the kernel does not know the call; then sync_cores
/// does nothing.
bool register_core_sync() noexcept;

/// After it has returned, no core of this process executes instructions that it had fetched before the call. Before
/// Linux 4.16 it does nothing. Threads that a signal stopped see new code even then: they return through rt_sigreturn,
/// which ends in iret, a serialising instruction.
void sync_cores() noexcept;

/// Makes the C library's allocator return its free pages, of all arenas, to the system.
void give_free_memory_back() noexcept;

/// Takes the whole pages in [begin, end) out of this process's memory if they are nothing but unchanged pages of files:
/// the next access brings them back from the file. Does nothing if one of them is anonymous memory, or if the kernel
/// does not tell (/proc/PID/pagemap). Nobody may write to the pages meanwhile.
void release_file_pages(std::uintptr_t begin, std::uintptr_t end) noexcept;

/// Copies the bytes at `address` to `to` by way of the kernel, which refuses where a plain access would end the
/// program. For addresses from a stopped thread's registers, from debug information or from the program's own pointers.
/// Unlike a plain access, it also ignores the address sanitizer's markers. False if not all bytes can be read.
/// Allocates nothing and takes no lock.
bool read_memory(std::uintptr_t address, std::span<std::byte> to) noexcept;

/// The same for writing. False if not all bytes can be written; some may have been.
bool write_memory(std::uintptr_t address, std::span<const std::byte> from) noexcept;

}  // namespace moult::internal
