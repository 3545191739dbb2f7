#include "base/address.hpp"

#include <array>
#include <cstdio>

namespace moult::internal {

std::string hex_text(std::uintptr_t number) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%zx", static_cast<std::size_t>(number));
  return text.data();
}

}  // namespace moult::internal
