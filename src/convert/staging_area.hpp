// Room for objects beside a pool, one cell each, taken in runs of neighbours.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace moult::internal {

class StagingArea final {
 public:
  /// Bytes; `alignment` is a power of two.
  StagingArea(std::size_t size, std::size_t alignment);

  std::size_t cell_size() const noexcept { return cell_size_; }
  /// Makes room for `count` cells more, and touches it, so that taking them costs no page faults. Throws
  /// std::bad_alloc.
  void reserve(std::size_t count);
  /// `count` cells in a row. Throws std::bad_alloc when none are left and there is no memory.
  std::byte* take(std::size_t count);
  /// All memory goes back. StagingArea taken before are gone.
  void clear() noexcept;

 private:
  struct Free {
    std::align_val_t alignment;
    void operator()(std::byte* begin) const noexcept { ::operator delete(begin, alignment); }
  };

  std::size_t cell_size_;
  std::size_t alignment_;
  std::vector<std::unique_ptr<std::byte, Free>> chunks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;  ///< cells from next_ on
};

}  // namespace moult::internal
