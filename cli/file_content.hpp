#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace moult::internal::cli {

/// All bytes of the file; none if it cannot be read.
inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Takes `what`, which is not empty, out of the text wherever it is.
inline void remove_all(std::string& text, const std::string& what) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos;) text.erase(at, what.size());
}

}  // namespace moult::internal::cli
