#include "symbols/spelling.hpp"

#include <algorithm>
#include <vector>

namespace moult::internal {
namespace {

std::size_t typos_allowed(std::size_t length) { return length < 3 ? 0 : length < 6 ? 1 : length < 12 ? 2 : 3; }

}  // namespace

std::size_t typos_between(std::string_view one, std::string_view other) {
  // Three rows of the table: what each letter of `one` costs depends on the two before it.
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(other.size() + 1);
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t j = 0; j < last.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t mistaken = last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, mistaken});
      const bool are_swapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (are_swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last.back();
}

bool are_near(std::string_view one, std::string_view other) {
  const std::size_t allowed = typos_allowed(std::max(one.size(), other.size()));
  const std::size_t difference = one.size() > other.size() ? one.size() - other.size() : other.size() - one.size();
  return difference <= allowed && typos_between(one, other) <= allowed;
}

}  // namespace moult::internal
