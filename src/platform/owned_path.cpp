#include "platform/owned_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace moult::internal {

OwnedPath::OwnedPath(std::string path) : path_(std::move(path)), maker_(::getpid()) {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) {
    path_.clear();
    return;
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

OwnedPath::OwnedPath(OwnedPath&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_), maker_(other.maker_) {}

OwnedPath& OwnedPath::operator=(OwnedPath&& other) noexcept {
  if (this == &other) return *this;
  remove();
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  maker_ = other.maker_;
  return *this;
}

void OwnedPath::remove() noexcept {
  if (path_.empty() || maker_ != ::getpid()) return;
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_)
    ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace moult::internal
