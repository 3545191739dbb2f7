// A value: bytes that are never changed.
#pragma once

#include <moult/moult.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace key_value {

/// Short ones lie in the object and long ones are shared, so that a copy is cheap and a reply can be written from it
/// when the entry's lock is released.
class Value final {
 public:
  explicit Value(std::string_view bytes)
      : held_(bytes.size() <= longest_short ? Held(Short(bytes)) : Held(std::make_shared<const std::string>(bytes))) {}

  std::string_view bytes() const noexcept {
    if (const Short* value = std::get_if<Short>(&held_)) return {value->bytes.data(), value->size};
    return **std::get_if<Long>(&held_);
  }

 private:
  static constexpr std::size_t longest_short = 15;
  struct Short {
    explicit Short(std::string_view text) : size(static_cast<std::uint8_t>(text.size())) {
      std::ranges::copy(text, bytes.begin());
    }
    std::array<char, longest_short> bytes{};
    std::uint8_t size = 0;
  };
  using Long = std::shared_ptr<const std::string>;
  using Held = std::variant<Short, Long>;

  Held held_;
};
static_assert(sizeof(Value) == 24);

}  // namespace key_value

/// Neither the variant nor the shared pointer keeps an address of its own.
template <>
inline constexpr bool moult::is_relocatable<key_value::Value> = true;
