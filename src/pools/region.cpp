#include "pools/region.hpp"

#include <algorithm>
#include <memory>

#include "platform/memory.hpp"
#include "platform/poison.hpp"
#include "platform/reserved_memory.hpp"

namespace moult::internal {
namespace {

/// Bytes committed at a time: few system calls, and little unused memory.
constexpr std::size_t commit_step = std::size_t{2} << 20;

std::size_t whole_pages(std::size_t bytes) noexcept {
  const std::size_t page = page_size();
  return (bytes + page - 1) / page * page;
}

}  // namespace

std::size_t Region::record_bytes(const Geometry& cut, std::size_t slabs) noexcept {
  return whole_pages(records_begin + slabs * cut.stride);
}

Region::Region(Pool& pool, const Geometry& cut, std::size_t committed_records) noexcept
    : cut_(cut), pool_(pool), committed_records_(committed_records) {}

Region* Region::make(Pool& pool, const Geometry& cut) noexcept {
  const std::size_t size = region_size + record_bytes(cut, cut.slabs);
  const std::size_t first_records = record_bytes(cut, 0);
  std::byte* slots = reserve(size, region_size);
  if (slots == nullptr) return nullptr;
  std::byte* records = slots + region_size;
  if (!commit(records, first_records)) {
    unreserve(slots, size);
    return nullptr;
  }
  add_roots(slots, size);
  return new (records) Region(pool, cut, first_records);
}

std::size_t Region::reserved_bytes() const noexcept { return region_size + record_bytes(cut_, cut_.slabs); }

bool Region::commit_more() noexcept {
  const std::size_t more = committed_ + std::max(commit_step, cut_.slab_size());
  const std::size_t records = record_bytes(cut_, more >> cut_.slab_shift);
  const std::size_t had = committed_records_;
  std::byte* begin = reinterpret_cast<std::byte*>(this);
  if (records > had && !commit(begin + had, records - had)) return false;
  committed_records_ = records;
  if (!commit(slots_begin() + committed_, more - committed_)) return false;
  committed_ = more;
  return true;
}

Slab* Region::add_slab() noexcept {
  const std::uint32_t index = slabs_end();
  if (index == cut_.slabs) return nullptr;
  std::byte* begin = slots_begin() + used_slot_bytes();
  if (used_slot_bytes() == committed_ && !commit_more()) return nullptr;
  internal::poison(begin, cut_.slab_size());
  Slab* slab = new (&this->slab(index)) Slab(begin, cut_);
  slabs_end_.store(index + 1, std::memory_order_release);
  return slab;
}

void Region::provide_pending() {
  if (pending.load() != nullptr) return;
  std::unique_ptr<PendingSlabs> made = std::make_unique<PendingSlabs>();
  PendingSlabs* none = nullptr;
  if (!pending.compare_exchange_strong(none, made.get())) return;
  static_cast<void>(made.release());  // lives as long as the region
}

std::size_t Region::widen() noexcept {
  const std::size_t rest = region_size - committed_;
  return rest == 0 || commit(slots_begin() + committed_, rest) ? region_size : committed_.load();
}

void Region::narrow() noexcept {
  if (committed_ < region_size) uncommit(slots_begin() + committed_, region_size - committed_);
}

}  // namespace moult::internal
