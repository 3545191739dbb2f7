// Publishes the progress board to the moult command.
#pragma once

#include <memory>
#include <string>

namespace moult::internal {

/// While it lives, a file shows the progress of work for which the program stands still.
class ProgressPage final {
 public:
  /// If the file cannot be made, no progress is shown.
  explicit ProgressPage(const std::string& path);
  ~ProgressPage();
  ProgressPage(const ProgressPage&) = delete;
  ProgressPage& operator=(const ProgressPage&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult::internal
