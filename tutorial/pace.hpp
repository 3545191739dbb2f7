// The pace of the tutorial's applications. Automated tests set a faster one than people need.
#pragma once

#include <chrono>
#include <cstdlib>

/// The milliseconds in MOULT_TUTORIAL_MILLISECONDS, or `usual` if it does not contain a number above zero.
inline std::chrono::milliseconds pace(std::chrono::milliseconds usual) {
  const char* shortened = std::getenv("MOULT_TUTORIAL_MILLISECONDS");
  const int milliseconds = shortened == nullptr ? 0 : std::atoi(shortened);
  return milliseconds > 0 ? std::chrono::milliseconds(milliseconds) : usual;
}
