#include "base/proc.hpp"

#include <filesystem>
#include <system_error>

namespace moult::internal::proc {
namespace {

namespace fs = std::filesystem;

/// An ended thread has no executable. Without permission nothing is known.
bool has_ended(const fs::path& folder) {
  std::error_code error;
  [[maybe_unused]] const fs::path executable = fs::read_symlink(folder / "exe", error);
  return error == std::errc::no_such_file_or_directory;
}

}  // namespace

std::string folder_of(int pid) {
  const fs::path process = "/proc/" + std::to_string(pid);
  if (!has_ended(process)) return process;
  std::error_code ignored;
  for (fs::directory_iterator task(process / "task", ignored), end; task != end; task.increment(ignored))
    if (!has_ended(task->path())) return task->path();
  return process;
}

}  // namespace moult::internal::proc
