#include "pools/readable_memory.hpp"

#include <algorithm>

namespace moult::internal {

ReadableMemory::ReadableMemory(const StoppedWorld&) : ranges_(internal::readable_memory()) {
  for (const MemoryRange& range : ranges_) size_ += range.end - range.begin;
}

const MemoryRange* ReadableMemory::find(std::uintptr_t address, std::size_t size) noexcept {
  const auto holds = [&](const MemoryRange& range) {
    return range.begin <= address && address < range.end && size <= range.end - address;
  };
  if (holds(ranges_[last_])) return &ranges_[last_];
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), address,
                       [](std::uintptr_t wanted, const MemoryRange& range) { return wanted < range.begin; });
  if (after == ranges_.begin() || !holds(*std::prev(after))) return nullptr;
  last_ = static_cast<std::size_t>(std::prev(after) - ranges_.begin());
  return &ranges_[last_];
}

}  // namespace moult::internal
