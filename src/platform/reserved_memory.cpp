#include "platform/reserved_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/fd.hpp"
#include "base/proc.hpp"
#include "platform/memory.hpp"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

namespace moult::internal {
namespace {

/// The number behind the first `key` in a small file.
std::optional<std::uint64_t> number_after(const char* path, std::string_view key) noexcept {
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer;
  const ssize_t got = file ? ::read(file.get(), buffer.data(), buffer.size()) : -1;
  if (got <= 0) return std::nullopt;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  const std::size_t found = text.find(key);
  const std::size_t begin = found == text.npos ? found : text.find_first_not_of(" \t", found + key.size());
  if (begin == text.npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

std::byte* reserve(std::size_t size, std::size_t alignment) noexcept {
  std::size_t wide = size + alignment;
  void* got = ::mmap(nullptr, wide, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) return nullptr;
  std::byte* all = static_cast<std::byte*>(got);
  std::size_t before = (alignment - reinterpret_cast<std::uintptr_t>(all) % alignment) % alignment;
  if (before > 0) ::munmap(all, before);
  ::munmap(all + before + size, wide - before - size);
  return all + before;
}

void unreserve(std::byte* begin, std::size_t size) noexcept { ::munmap(begin, size); }

bool commit(std::byte* begin, std::size_t size) noexcept {
  return ::mprotect(begin, size, PROT_READ | PROT_WRITE) == 0;
}

void uncommit(std::byte* begin, std::size_t size) noexcept { ::mprotect(begin, size, PROT_NONE); }

bool promises_are_free() noexcept {
  constexpr std::uint64_t strict_accounting = 2;
  const std::optional<std::uint64_t> mode = number_after("/proc/sys/vm/overcommit_memory", "");
  const std::optional<std::uint64_t> locked = number_after(proc::own_status, "VmLck:");
  return mode && *mode != strict_accounting && locked == std::uint64_t{0};
}

void populate(std::byte* begin, std::size_t size) noexcept { ::madvise(begin, size, MADV_POPULATE_WRITE); }

void discard(std::byte* begin, std::size_t size) noexcept { ::madvise(begin, size, MADV_DONTNEED); }

bool move_pages(std::byte* from, std::byte* to, std::size_t size) noexcept {
  // The kernel moves only a whole mapping at once, and neighbours with equal properties may be several mappings. Then
  // each half is tried, cut at the beginning of a page directory's entry if possible.
  constexpr std::size_t directory_entry = std::size_t{2} << 20;
  if (::mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) != MAP_FAILED) return true;
  if (errno != EFAULT || size <= page_size()) return false;
  std::uintptr_t middle = reinterpret_cast<std::uintptr_t>(from) + size / 2;
  std::size_t unit = size > 2 * directory_entry ? directory_entry : page_size();
  std::size_t first = middle / unit * unit - reinterpret_cast<std::uintptr_t>(from);
  if (!move_pages(from, to, first)) return false;
  if (move_pages(from + first, to + first, size - first)) return true;
  move_pages(to, from, first);
  return false;
}

std::size_t resident_bytes(const std::byte* begin, std::size_t size) noexcept {
  std::array<unsigned char, 4096> pages;
  std::size_t step = pages.size() * page_size();
  std::size_t resident = 0;
  for (std::size_t done = 0; done < size; done += step) {
    std::size_t part = std::min(step, size - done);
    if (::mincore(const_cast<std::byte*>(begin + done), part, pages.data()) != 0) continue;
    std::size_t count = (part + page_size() - 1) / page_size();
    resident +=
        static_cast<std::size_t>(std::count_if(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(count),
                                               [](unsigned char page) { return (page & 1) != 0; })) *
        page_size();
  }
  return resident;
}

}  // namespace moult::internal
