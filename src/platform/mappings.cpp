#include "platform/mappings.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "base/proc.hpp"
#include "moult/error.hpp"
#include "platform/x86_64/syscall.hpp"

namespace moult::internal {
namespace {

/// "begin-end perms ...". True if the line's mapping contains the address and is readable.
bool contains(std::string_view line, std::uintptr_t address, std::uintptr_t& end) noexcept {
  std::uintptr_t begin = 0;
  const char* last = line.data() + line.size();
  std::from_chars_result parsed = std::from_chars(line.data(), last, begin, 16);
  if (parsed.ptr == last || *parsed.ptr != '-') return false;
  parsed = std::from_chars(parsed.ptr + 1, last, end, 16);
  return begin <= address && address < end && last - parsed.ptr > 1 && parsed.ptr[1] == 'r';
}

/// "begin-end perms offset device inode path". Nothing for a mapping that must not be read.
std::optional<MemoryRange> readable_range(std::string_view line) {
  MemoryRange range;
  const char* last = line.data() + line.size();
  std::from_chars_result parsed = std::from_chars(line.data(), last, range.begin, 16);
  if (parsed.ptr == last || *parsed.ptr != '-') return std::nullopt;
  parsed = std::from_chars(parsed.ptr + 1, last, range.end, 16);
  if (last - parsed.ptr <= 2 || parsed.ptr[1] != 'r') return std::nullopt;
  range.is_writable = parsed.ptr[2] == 'w';
  const std::size_t path = line.find('/');
  const bool is_named = line.find("[v") != std::string_view::npos || line.find("anon_inode:") != std::string_view::npos;
  if (path == std::string_view::npos) return is_named ? std::nullopt : std::optional(range);
  const std::string_view file = line.substr(path);
  const bool is_device = file.starts_with("/dev/") && !file.starts_with("/dev/shm/") && !file.starts_with("/dev/zero");
  return is_device ? std::nullopt : std::optional(range);
}

}  // namespace

bool is_readable(std::uintptr_t address) noexcept {
  // The kernel copies the new mask in before it finds that -1 is no way of combining masks.
  constexpr long mask_size = 8;
  long word = static_cast<long>(address & ~std::uintptr_t{mask_size - 1});
  return raw_syscall(SYS_rt_sigprocmask, -1, word, 0, mask_size) == -EINVAL;
}

std::uintptr_t readable_until(std::uintptr_t address) noexcept {
  long fd = raw_syscall(SYS_openat, AT_FDCWD, as_argument(proc::own_maps), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char buffer[4096];
  std::size_t kept = 0;
  std::uintptr_t found = 0;
  while (found == 0) {
    long got = raw_syscall(SYS_read, fd, as_argument(buffer + kept), static_cast<long>(sizeof buffer - kept));
    if (got <= 0) break;
    std::string_view text(buffer, kept + static_cast<std::size_t>(got));
    for (std::size_t newline; found == 0 && (newline = text.find('\n')) != std::string_view::npos;) {
      std::uintptr_t end = 0;
      if (contains(text.substr(0, newline), address, end)) found = end;
      text.remove_prefix(newline + 1);
    }
    kept = text.size() < sizeof buffer ? text.size()
                                       : 0;  // a line longer than the buffer has a long path, so it is no stack
    std::memmove(buffer, text.data(), kept);
  }
  raw_syscall(SYS_close, fd);
  return found;
}

std::vector<MemoryRange> readable_memory() {
  std::vector<MemoryRange> ranges;
  std::ifstream maps(proc::own_maps);
  for (std::string line; std::getline(maps, line);) {
    const std::optional<MemoryRange> range = readable_range(line);
    if (!range) continue;
    const bool goes_on =
        !ranges.empty() && ranges.back().end == range->begin && ranges.back().is_writable == range->is_writable;
    if (goes_on)
      ranges.back().end = range->end;
    else
      ranges.push_back(*range);
  }
  if (maps.bad()) throw std::bad_alloc();  // std::getline has caught it
  if (ranges.empty())
    throw Error(ErrorCode::system,
                std::string(proc::own_maps) + " cannot be read, so that it is not known what memory there is");
  return ranges;
}

}  // namespace moult::internal
