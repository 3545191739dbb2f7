// A name in the file system that its owner removes.
#pragma once

#include <sys/types.h>

#include <string>

namespace moult::internal {

/// Removes the file when it is destroyed, but only if it is still the file that was there at construction, and only in
/// the process that made this. So a child of fork does not remove its parent's socket.
class OwnedPath final {
 public:
  OwnedPath() = default;
  /// Takes over the file that is at `path` now.
  explicit OwnedPath(std::string path);
  OwnedPath(OwnedPath&& other) noexcept;
  OwnedPath& operator=(OwnedPath&& other) noexcept;
  OwnedPath(const OwnedPath&) = delete;
  OwnedPath& operator=(const OwnedPath&) = delete;
  ~OwnedPath() { remove(); }

  const std::string& path() const noexcept { return path_; }

 private:
  void remove() noexcept;

  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  pid_t maker_ = 0;
};

}  // namespace moult::internal
