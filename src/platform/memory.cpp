#include "platform/memory.hpp"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/fd.hpp"
#include "base/proc.hpp"
#include "moult/error.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/syscall.hpp"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace moult::internal {
namespace {

std::string read_maps_file() {
  Fd file(::open(proc::own_maps, O_RDONLY | O_CLOEXEC));
  if (!file)
    throw Error(ErrorCode::system, std::string(proc::own_maps) + ": " + std::strerror(errno) + "; mount /proc");
  std::string text;
  std::size_t used = 0;
  for (;;) {
    text.resize(used + 65536);
    ssize_t got = ::read(file.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(ErrorCode::system, std::string(proc::own_maps) + ": " + std::strerror(errno));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  text.resize(used);
  return text;
}

/// Removes a number from the front of `text`.
bool take_hex(std::string_view& text, std::uintptr_t& number) noexcept {
  std::from_chars_result parsed = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (parsed.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return true;
}

/// "55d0c000-55d0e000 r-xp 00002000 fe:01 1234    /usr/bin/x"
std::optional<Mapping> parse_line(std::string_view line) {
  Mapping mapping;
  if (!take_hex(line, mapping.begin) || !line.starts_with('-')) return std::nullopt;
  line.remove_prefix(1);
  if (!take_hex(line, mapping.end) || line.size() < 5 || line[0] != ' ') return std::nullopt;
  if (line[1] == 'r') mapping.protection = mapping.protection | Protection::read;
  if (line[2] == 'w') mapping.protection = mapping.protection | Protection::write;
  if (line[3] == 'x') mapping.protection = mapping.protection | Protection::execute;
  mapping.is_shared = line[4] == 's';
  line.remove_prefix(std::min<std::size_t>(6, line.size()));
  for (int field = 0; field < 3; ++field) line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  mapping.path = line;
  return mapping;
}

AddressSpace make_address_space() {
  return {
      .mappings = [] { return parse_mappings(read_maps_file()); },
      .map_at =
          [](std::uintptr_t begin, std::size_t size, Protection protection) {
            void* wanted = reinterpret_cast<void*>(begin);
            void* got = ::mmap(wanted, size, static_cast<int>(protection),
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
            if (got == wanted) return true;
            if (got != MAP_FAILED) ::munmap(got, size);  // before 4.17 the kernel treats the address as a hint
            return false;
          },
      .unmap = [](std::uintptr_t begin, std::size_t size) { ::munmap(reinterpret_cast<void*>(begin), size); },
      .protect =
          [](std::uintptr_t begin, std::size_t size, Protection protection) {
            return ::mprotect(reinterpret_cast<void*>(begin), size, static_cast<int>(protection)) == 0;
          },
  };
}

long membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0); }

std::atomic<bool> core_sync_works = false;

bool transfer(long call, std::uintptr_t address, const std::byte* own, std::size_t size) noexcept {
  if (size == 0) return true;
  iovec here{const_cast<std::byte*>(own), size};
  iovec there{reinterpret_cast<void*>(address), size};
  // The process's own id stands for the main thread, which has no memory any more once it has ended.
  long thread = raw_syscall(SYS_gettid);
  return raw_syscall(call, thread, as_argument(&here), 1, as_argument(&there), 1, 0) == static_cast<long>(size);
}

/// True if every page in [begin, end) that is in memory is a file's, and none was swapped out.
bool are_of_files(const Fd& pagemap, std::uintptr_t begin, std::uintptr_t end) noexcept {
  constexpr std::uint64_t is_present_or_swapped = std::uint64_t{3} << 62U;  // as in the kernel's pagemap.rst
  constexpr std::uint64_t is_of_file = std::uint64_t{1} << 61U;
  std::array<std::uint64_t, 256> entries{};
  const std::uintptr_t size = page_size();
  for (std::uintptr_t page = begin; page < end; page += entries.size() * size) {
    const std::size_t count = std::min<std::size_t>(entries.size(), (end - page) / size);
    const ssize_t bytes = static_cast<ssize_t>(count * sizeof entries[0]);
    if (::pread(pagemap.get(), entries.data(), static_cast<std::size_t>(bytes),
                static_cast<off_t>(page / size * sizeof entries[0])) != bytes)
      return false;
    if (std::any_of(entries.begin(), entries.begin() + count, [](std::uint64_t entry) {
          return (entry & is_present_or_swapped) != 0 && (entry & is_of_file) == 0;
        }))
      return false;
  }
  return true;
}

}  // namespace

std::vector<Mapping> parse_mappings(std::string_view text) {
  std::vector<Mapping> mappings;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (std::optional<Mapping> mapping = parse_line(line)) mappings.push_back(std::move(*mapping));
  }
  return mappings;
}

const Mapping* find_mapping(const std::vector<Mapping>& mappings, std::uintptr_t address) noexcept {
  auto after = std::upper_bound(mappings.begin(), mappings.end(), address,
                                [](std::uintptr_t wanted, const Mapping& mapping) { return wanted < mapping.end; });
  return after != mappings.end() && after->contains(address) ? &*after : nullptr;
}

const AddressSpace& address_space() {
  static const auto& space = *new AddressSpace(make_address_space());
  return space;
}

std::size_t page_size() noexcept {
  static const std::size_t size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

void make_present(std::uintptr_t begin, std::uintptr_t end) noexcept {
  // Written in assembly, because a compiler may turn an atomic "or" with 0 into a fence that accesses another address.
  for (std::uintptr_t page = begin; page < end; page += page_size())
    asm volatile("lock orb $0, (%0)" : : "r"(page) : "memory", "cc");
}

bool register_core_sync() noexcept {
  if (!core_sync_works.load()) core_sync_works = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE) == 0;
  return core_sync_works.load();
}

void sync_cores() noexcept {
  if (core_sync_works.load()) membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE);
}

void give_free_memory_back() noexcept { ::malloc_trim(0); }

void release_file_pages(std::uintptr_t begin, std::uintptr_t end) noexcept {
  begin = (begin + page_size() - 1) / page_size() * page_size();
  end = end / page_size() * page_size();
  if (begin >= end) return;
  const Fd pagemap(::open(proc::own_pagemap, O_RDONLY | O_CLOEXEC));
  if (pagemap && are_of_files(pagemap, begin, end))
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

bool read_memory(std::uintptr_t address, std::span<std::byte> to) noexcept {
  return transfer(SYS_process_vm_readv, address, to.data(), to.size());
}

bool write_memory(std::uintptr_t address, std::span<const std::byte> from) noexcept {
  return transfer(SYS_process_vm_writev, address, from.data(), from.size());
}

}  // namespace moult::internal
