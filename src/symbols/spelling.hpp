// How far two names are apart, as a typing hand makes mistakes.
#pragma once

#include <cstddef>
#include <string_view>

namespace moult::internal {

/// Letters that were added, left out, mistaken or swapped with their neighbour (optimal string alignment).
std::size_t typos_between(std::string_view one, std::string_view other);

/// Whether one may have been meant for the other: the longer they are, the more typos pass.
bool are_near(std::string_view one, std::string_view other);

}  // namespace moult::internal
