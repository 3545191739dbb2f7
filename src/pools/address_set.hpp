// A set of addresses, each with a small number: the objects that a walk has met.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace moult::internal {

/// Open addressing: a stopped program may have tens of millions of objects.
class AddressSet final {
 public:
  /// False when the pair is in the set already. `address` is not 0. Throws std::bad_alloc.
  bool insert(std::uintptr_t address, std::uint32_t number);
  std::size_t size() const noexcept { return size_; }

 private:
  struct Entry {
    std::uintptr_t address = 0;  ///< 0: free
    std::uint32_t number = 0;
  };
  Entry& place_of(std::uintptr_t address, std::uint32_t number) noexcept;
  void grow();

  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace moult::internal
