// Jump tables: what a compiler makes of a `switch`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

inline constexpr std::size_t most_table_entries = 4096;

/// Adds the places that the words from `table` on lead to, up to the first one that is not `is_own(place)`. Words have
/// 4 bytes and count from the table, or 8 bytes and are addresses. `read(address, bytes)` reads a word; false if it
/// cannot.
template <class Read, class IsOwn>
void add_table_targets(std::uintptr_t table, const Read& read, const IsOwn& is_own, std::vector<CodeAddress>& targets) {
  const auto add_words = [&](auto word, std::uintptr_t base) {
    for (std::size_t i = 0; i < most_table_entries; ++i) {
      std::array<std::uint8_t, sizeof word> bytes;
      if (!read(table + i * sizeof word, bytes)) return;
      std::memcpy(&word, bytes.data(), sizeof word);
      const CodeAddress target{base + static_cast<std::uintptr_t>(std::int64_t{word})};
      if (!is_own(target)) return;
      targets.push_back(target);
    }
  };
  add_words(std::int32_t{}, table);
  add_words(std::int64_t{}, 0);
}

}  // namespace moult::internal
