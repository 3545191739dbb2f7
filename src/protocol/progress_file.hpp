// How far a program is with what it stands still for, as another process sees it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace moult::internal {

/// "PID.progress", beside the socket: a page of that program's memory (base/progress.hpp).
std::string progress_name(int pid);

struct WorkInProgress {
  std::uint64_t number = 0;  ///< another one, another piece of work
  std::string what;          ///< control characters as "?"
  std::uint64_t objects = 0;
  double done = 0;  ///< objects; one that is half done counts as half of one
};

/// What goes on at this moment; nothing when nothing does, or the file is not there or something else.
std::optional<WorkInProgress> read_progress(const std::filesystem::path& path);

}  // namespace moult::internal
