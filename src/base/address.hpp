// Typed addresses: the address of code and the address of data have types of their own, and neither compiles as the
// other.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <span>
#include <string>

namespace moult::internal {

enum class CodeAddress : std::uintptr_t {};
enum class DataAddress : std::uintptr_t {};

constexpr std::uintptr_t value(CodeAddress address) noexcept { return static_cast<std::uintptr_t>(address); }
constexpr std::uintptr_t value(DataAddress address) noexcept { return static_cast<std::uintptr_t>(address); }

constexpr CodeAddress operator+(CodeAddress address, std::size_t bytes) noexcept {
  return CodeAddress{value(address) + bytes};
}

/// "0x7f00dead".
inline std::string hex_text(std::uintptr_t number) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%zx", static_cast<std::size_t>(number));
  return text.data();
}

/// A range of code, without its end.
struct CodeRange {
  CodeAddress begin{};
  CodeAddress end{};

  constexpr std::size_t size() const noexcept { return value(end) - value(begin); }
  constexpr bool contains(CodeAddress address) const noexcept { return begin <= address && address < end; }
  // clang-tidy takes the 0 that a comparison is rewritten with for a null pointer.
  auto operator<=>(const CodeRange&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// True when `address` is inside one of `ranges` but not at its first byte. `ranges` is sorted and does not overlap.
inline bool is_strictly_inside(std::span<const CodeRange> ranges, CodeAddress address) noexcept {
  const auto from = std::lower_bound(ranges.begin(), ranges.end(), address,
                                     [](const CodeRange& range, CodeAddress wanted) { return range.begin < wanted; });
  return from != ranges.begin() && address < std::prev(from)->end;
}

}  // namespace moult::internal
