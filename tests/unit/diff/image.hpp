// The bytes of a file, to be damaged by a test.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace moult::internal::diff {

inline std::vector<char> image_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace moult::internal::diff
