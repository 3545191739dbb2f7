// Inlined copies of a function, as messages name them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "symbols/program.hpp"

namespace moult::internal {

/// "a.cpp:42 (main), b.cpp:7 (f(int))": the first twenty.
inline std::string list_sites(const std::vector<InlinedSite>& sites) {
  constexpr std::size_t most = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(sites.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + sites[i].file + ":" + std::to_string(sites[i].line) + " (" + sites[i].caller + ")";
  if (sites.size() > most) text += ", and " + std::to_string(sites.size() - most) + " more";
  return text;
}

}  // namespace moult::internal
