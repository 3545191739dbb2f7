// The folder in which an update is compiled; it is removed with the command, however that ends.
#pragma once

#include <filesystem>

#include "base/fd.hpp"

namespace moult::internal::cli {

/// A folder in the user's cache. The destructor removes it, and so does the end of the command by SIGINT, SIGTERM or
/// SIGHUP. The next one to be made removes the folders of killed commands.
class ScratchFolder final {
 public:
  /// $XDG_CACHE_HOME/moult, else ~/.cache/moult, else the temporary folder. Throws CommandFailure (usage).
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  Fd lock_;  ///< tells other commands that the folder is in use
};

/// A child that must end with the command when a signal ends it; otherwise it would go on writing into the folder. 0:
/// none.
void set_child_to_end(int pid) noexcept;

}  // namespace moult::internal::cli
