// Tells when a source of a program was saved.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace moult::internal::cli {

/// Watches the folders of the files, since editors write another file and rename it.
class SourceWatch final {
 public:
  /// Throws CommandFailure (usage): the system has no more watches.
  explicit SourceWatch(const std::set<std::filesystem::path>& files);

  /// Can be read when something has happened in one of the folders.
  int descriptor() const noexcept { return events_.get(); }
  /// Reads what has happened. True if it concerns a source or a header.
  bool read();

 private:
  bool is_source(int folder, const std::string& name) const;

  Fd events_;
  std::map<int, std::filesystem::path> folders_;  ///< by the number of their watch
  std::set<std::filesystem::path> files_;
};

}  // namespace moult::internal::cli
