// How fast the tutorial's applications go: test.sh, when tests run it, has no two seconds to spare for a line.
#pragma once

#include <chrono>
#include <cstdlib>

/// The milliseconds that MOULT_TUTORIAL_MILLISECONDS holds, or `usual` when it is not set to a number above zero.
inline std::chrono::milliseconds pace(std::chrono::milliseconds usual) {
  const char* shortened = std::getenv("MOULT_TUTORIAL_MILLISECONDS");
  const int milliseconds = shortened == nullptr ? 0 : std::atoi(shortened);
  return milliseconds > 0 ? std::chrono::milliseconds(milliseconds) : usual;
}
