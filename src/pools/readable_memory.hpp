// Reads from addresses that may be unmapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "platform/mappings.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The readable memory of a stopped program. Used by one thread.
class ReadableMemory final {
 public:
  /// Throws Error: system.
  explicit ReadableMemory(const StoppedWorld& stopped);

  /// Bytes, in all.
  std::size_t size() const noexcept { return size_; }

  bool can_read(std::uintptr_t address, std::size_t size) noexcept { return find(address, size) != nullptr; }
  bool can_write(std::uintptr_t address, std::size_t size) noexcept {
    const MemoryRange* range = find(address, size);
    return range != nullptr && range->is_writable;
  }

  /// The value at an address that can be read.
  template <class T>
  static T get(std::uintptr_t address) noexcept {
    T value;
    std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
    return value;
  }

 private:
  /// The range around the bytes. A value never straddles a writable and a read-only range, though they be neighbours.
  const MemoryRange* find(std::uintptr_t address, std::size_t size) noexcept;

  std::vector<MemoryRange> ranges_;
  std::size_t size_ = 0;
  std::size_t last_ = 0;  ///< the range found last
};

}  // namespace moult::internal
