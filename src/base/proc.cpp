#include "base/proc.hpp"

#include <filesystem>
#include <system_error>

#include "base/folder.hpp"

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
  for (const std::string& task : names_in(process / "task"))
    if (!has_ended(process / "task" / task)) return process / "task" / task;
  return process;
}

}  // namespace moult::internal::proc
