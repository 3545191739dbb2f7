// Memory beside a pool for the new objects, one cell each, before they move into their slots.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace moult::internal {

/// Used by one thread at a time.
class StagingArea final {
 public:
  /// The size in bytes; `alignment` is a power of two.
  StagingArea(std::size_t size, std::size_t alignment);

  std::size_t cell_size() const noexcept { return cell_size_; }
  /// Allocates `count` more cells and writes to each of their pages, so that a later take() costs no page faults.
  /// Cells reserved earlier and not taken yet are lost. Throws std::bad_alloc.
  void reserve(std::size_t count);
  /// `count` neighbouring cells. Throws std::bad_alloc when too few are left and there is no memory.
  std::byte* take(std::size_t count);
  /// Frees all memory, taken cells included.
  void clear() noexcept;

 private:
  struct Free {
    std::align_val_t alignment;
    void operator()(std::byte* begin) const noexcept { ::operator delete(begin, alignment); }
  };

  std::size_t cell_size_;
  std::size_t alignment_;
  std::vector<std::unique_ptr<std::byte, Free>> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;  ///< cells from next_ on
};

}  // namespace moult::internal
