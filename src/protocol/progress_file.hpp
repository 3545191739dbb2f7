// A stopped program's progress, as another process sees it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace moult::internal {

/// "PID.progress", beside the socket: a page of that program's memory (base/progress.hpp).
std::string progress_name(int pid);

struct WorkInProgress {
  std::uint64_t number = 0;  ///< differs for each operation
  std::string what;          ///< control characters as "?"
  std::uint64_t objects = 0;
  double done = 0;  ///< objects; a half-done one counts as half
};

/// The operation in progress. Nothing if there is none, or if the file is missing or is something else.
std::optional<WorkInProgress> read_progress(const std::filesystem::path& path);

}  // namespace moult::internal
