// Hangs up moult's progress board where the moult command sees it.
#pragma once

#include <memory>
#include <string>

namespace moult::internal {

/// While it lives, how far work is for which the program stands still can be read from a file.
class ProgressPage final {
 public:
  /// Where the file cannot be made nobody is shown anything.
  explicit ProgressPage(const std::string& path);
  ~ProgressPage();
  ProgressPage(const ProgressPage&) = delete;
  ProgressPage& operator=(const ProgressPage&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult::internal
