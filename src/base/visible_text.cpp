#include "base/visible_text.hpp"

#include <array>
#include <cstdio>

namespace moult::internal {
namespace {

bool is_control(unsigned char byte) noexcept { return (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F; }

/// U+0080 to U+009F are control characters too: 0xC2 and this byte.
bool is_second_of_control(unsigned char byte) noexcept { return byte >= 0x80 && byte < 0xA0; }

std::string spelled_out(unsigned char byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", unsigned{byte});
  return text.data();
}

}  // namespace

std::string visible(std::string_view text) {
  std::string shown;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const auto next = static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : '\0');
    if (is_control(byte)) {
      shown += spelled_out(byte);
    } else if (byte == 0xC2 && is_second_of_control(next)) {
      shown += spelled_out(next);
      ++at;
    } else {
      shown += text[at];
    }
  }
  return shown;
}

}  // namespace moult::internal
