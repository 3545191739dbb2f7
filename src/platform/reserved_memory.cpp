#include "platform/reserved_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "platform/memory.hpp"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace moult::platform {

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

void populate(std::byte* begin, std::size_t size) noexcept { ::madvise(begin, size, MADV_POPULATE_WRITE); }

void discard(std::byte* begin, std::size_t size) noexcept { ::madvise(begin, size, MADV_DONTNEED); }

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

}  // namespace moult::platform
