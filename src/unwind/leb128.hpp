// DWARF's variable-length numbers.
#pragma once

#include <cstdint>

namespace moult::internal {

inline std::uint64_t read_uleb128(const std::uint8_t*& at) noexcept {
  std::uint64_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    std::uint8_t byte = *at++;
    if (shift < 64) number |= std::uint64_t{byte & 0x7Fu} << shift;
    if ((byte & 0x80) == 0) return number;
  }
}

inline std::int64_t read_sleb128(const std::uint8_t*& at) noexcept {
  std::uint64_t number = 0;
  unsigned shift = 0;
  std::uint8_t byte;
  do {
    byte = *at++;
    if (shift < 64) number |= std::uint64_t{byte & 0x7Fu} << shift;
    shift += 7;
  } while ((byte & 0x80) != 0);
  if ((byte & 0x40) != 0 && shift < 64) number |= ~std::uint64_t{0} << shift;
  return static_cast<std::int64_t>(number);
}

}  // namespace moult::internal
