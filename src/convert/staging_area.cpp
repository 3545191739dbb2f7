#include "convert/staging_area.hpp"

#include <algorithm>
#include <cstdint>

namespace moult::internal {
namespace {

constexpr std::size_t touched_apart = 4096;   // a page
constexpr std::size_t least_in_chunk = 4096;  // cells

}  // namespace

StagingArea::StagingArea(std::size_t size, std::size_t alignment)
    : cell_size_((std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment), alignment_(alignment) {}

void StagingArea::reserve(std::size_t count) {
  if (count > SIZE_MAX / 2 / cell_size_) throw std::bad_alloc();
  std::size_t bytes = count * cell_size_;
  std::align_val_t alignment{alignment_};
  std::unique_ptr<std::byte, Free> chunk(static_cast<std::byte*>(::operator new(bytes, alignment)), Free{alignment});
  for (std::size_t at = 0; at < bytes; at += touched_apart) chunk.get()[at] = std::byte{0};
  next_ = chunk.get();
  left_ = count;
  chunks_.push_back(std::move(chunk));
}

std::byte* StagingArea::take(std::size_t count) {
  if (count > left_) reserve(std::max(count, least_in_chunk));
  std::byte* taken = next_;
  next_ += count * cell_size_;
  left_ -= count;
  return taken;
}

void StagingArea::clear() noexcept {
  chunks_.clear();
  next_ = nullptr;
  left_ = 0;
}

}  // namespace moult::internal
