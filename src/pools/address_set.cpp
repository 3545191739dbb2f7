#include "pools/address_set.hpp"

#include <algorithm>
#include <utility>

namespace moult::internal {

AddressSet::Entry& AddressSet::place_of(std::uintptr_t address, std::uint32_t number) noexcept {
  // Neighbours in memory are looked up one after another, so they are neighbours here too. The multiplication spreads
  // the upper bits, which neighbours share.
  constexpr std::uintptr_t mix = 0x9e3779b97f4a7c15;
  const std::size_t mask = entries_.size() - 1;
  std::size_t at = ((address >> 4) + ((address >> 20) * mix >> 32) + number * mix) & mask;
  while (entries_[at].address != 0 && (entries_[at].address != address || entries_[at].number != number))
    at = (at + 1) & mask;
  return entries_[at];
}

bool AddressSet::insert(std::uintptr_t address, std::uint32_t number) {
  if (2 * (size_ + 1) > entries_.size()) grow();
  Entry& entry = place_of(address, number);
  if (entry.address != 0) return false;
  entry = {address, number};
  ++size_;
  return true;
}

void AddressSet::grow() {
  constexpr std::size_t least = 1024;
  std::vector<Entry> old(std::max(least, 2 * entries_.size()));
  old.swap(entries_);
  for (const Entry& entry : old)
    if (entry.address != 0) place_of(entry.address, entry.number) = entry;
}

}  // namespace moult::internal
