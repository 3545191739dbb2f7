#include "convert/staging_area.hpp"

#include <algorithm>
#include <cstdint>

namespace moult::internal {
namespace {

constexpr std::size_t page_step = 4096;
constexpr std::size_t least_cells = 4096;

}  // namespace

StagingArea::StagingArea(std::size_t size, std::size_t alignment)
    : cell_size_((std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment), alignment_(alignment) {}

void StagingArea::reserve(std::size_t count) {
  if (count > SIZE_MAX / 2 / cell_size_) throw std::bad_alloc();
  std::size_t bytes = count * cell_size_;
  std::align_val_t alignment{alignment_};
  std::unique_ptr<std::byte, Free> block(static_cast<std::byte*>(::operator new(bytes, alignment)), Free{alignment});
  for (std::size_t at = 0; at < bytes; at += page_step) block.get()[at] = std::byte{0};
  next_ = block.get();
  left_ = count;
  blocks_.push_back(std::move(block));
}

std::byte* StagingArea::take(std::size_t count) {
  if (count > left_) reserve(std::max(count, least_cells));
  std::byte* taken = next_;
  next_ += count * cell_size_;
  left_ -= count;
  return taken;
}

void StagingArea::clear() noexcept {
  blocks_.clear();
  next_ = nullptr;
  left_ = 0;
}

}  // namespace moult::internal
