// The paths of the fixtures, and the skip of those whose compiler is missing.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace moult::internal {

inline std::string fixture(const std::string& name) { return FIXTURES + name; }

inline bool is_built(const std::string& name) { return std::filesystem::exists(fixture(name)); }

/// A folder of this test's own, removed with everything in it.
class ScratchFolder final {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "moult_symbols_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace moult::internal

#define MOULT_NEEDS_FIXTURE(name) \
  if (!moult::internal::is_built(name)) GTEST_SKIP() << (name) << " was not built: its compiler is not installed"
