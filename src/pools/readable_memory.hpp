// Reading memory of which it is not known whether it is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "platform/mappings.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// What can be read while the program stands still. Not thread-safe.
class ReadableMemory final {
 public:
  /// Throws Error: system.
  explicit ReadableMemory(const StoppedWorld& stopped);

  /// Bytes, all of it.
  std::size_t size() const noexcept { return size_; }

  bool can_read(std::uintptr_t address, std::size_t size) noexcept { return find(address, size) != nullptr; }
  bool can_write(std::uintptr_t address, std::size_t size) noexcept {
    const MemoryRange* range = find(address, size);
    return range != nullptr && range->is_writable;
  }

  /// Of memory that can be read.
  template <class T>
  static T get(std::uintptr_t address) noexcept {
    T value;
    std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
    return value;
  }

 private:
  /// The range that the bytes are in. Neighbours of which one is read-only count as two: nothing lies in both.
  const MemoryRange* find(std::uintptr_t address, std::size_t size) noexcept;

  std::vector<MemoryRange> ranges_;
  std::size_t size_ = 0;
  std::size_t last_ = 0;  ///< where the last one asked for was
};

}  // namespace moult::internal
