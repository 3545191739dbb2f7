// Where the copies of loaded updates live: a folder of this process in its user's runtime folder.
#pragma once

#include <filesystem>
#include <string>

#include "protocol/runtime_folder.hpp"

namespace moult::internal {

/// Made with mode 0700. Copies must stay as long as the process, since debuggers and moult itself read them; they go
/// away with this object, which a child after fork leaves alone. What processes that were killed have left behind is
/// swept up when the next one makes its folder.
class UpdateFolder final {
 public:
  /// Throws Error: permission_denied, system.
  explicit UpdateFolder(const RuntimeSurroundings& surroundings);
  ~UpdateFolder();
  UpdateFolder(const UpdateFolder&) = delete;
  UpdateFolder& operator=(const UpdateFolder&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
  int maker_;
};

}  // namespace moult::internal
