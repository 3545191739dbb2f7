// Where an update is compiled: a folder that goes away with the command, however that ends.
#pragma once

#include <filesystem>

namespace moult::internal::cli {

/// A folder in the user's cache that goes away with this, and at once when SIGINT, SIGTERM or SIGHUP ends the command.
/// What commands that were killed have left is removed when the next one is made.
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
};

/// A child that must not outlive a command which a signal ends: it would go on writing into the folder. 0: none.
void set_child_to_end(int pid) noexcept;

}  // namespace moult::internal::cli
