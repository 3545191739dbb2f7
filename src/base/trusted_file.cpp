#include "base/trusted_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

[[noreturn]] void fail(ErrorCode code, const std::string& path, const std::string& why) {
  throw Error(code, path + ": " + why);
}

/// Why other users may have changed the file or folder; empty if they cannot.
std::string objection_to(const struct stat& status) {
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    return "belongs to user " + std::to_string(status.st_uid) + ", and this process runs as " +
           std::to_string(::geteuid()) + "; chown it, or copy it as this user";
  if ((status.st_mode & S_IWOTH) != 0) return "may be written by everybody; chmod o-w it, its content checked";
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != ::getegid())
    return "may be written by another group; chmod g-w it, its content checked";
  return {};
}

/// Why the file is not trusted; empty if it is.
std::string objection_to(const struct stat& status, const std::string& what) {
  return S_ISREG(status.st_mode) ? objection_to(status) : "is no regular file; give " + what;
}

/// A user who may write to a folder may put another file in the place of the one that was meant.
void check_folder_of(const std::string& path) {
  std::string folder = path.substr(0, path.rfind('/') + 1);
  if (folder.empty()) folder = "./";
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0)
    fail(ErrorCode::unreadable, path, std::string("its folder cannot be looked at: ") + std::strerror(errno));
  const mode_t of_others = S_IWGRP | S_IWOTH;
  if ((status.st_mode & S_ISVTX) != 0) status.st_mode &= ~of_others;  // they can replace only their own files
  const std::string objection = objection_to(status);
  if (!objection.empty()) fail(ErrorCode::permission_denied, path, "its folder " + folder + " " + objection);
}

}  // namespace

Fd open_trusted(const std::string& path, const std::string& what) {
  // Without O_NONBLOCK a named pipe would hold the caller up.
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    const ErrorCode code = errno == EACCES || errno == EPERM ? ErrorCode::permission_denied : ErrorCode::unreadable;
    fail(code, path, std::string("cannot be opened: ") + std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0)
    fail(ErrorCode::unreadable, path, std::string("cannot be looked at: ") + std::strerror(errno));
  const std::string objection = objection_to(status, what);
  if (!objection.empty()) fail(ErrorCode::permission_denied, path, objection);
  check_folder_of(path);
  return file;
}

}  // namespace moult::internal
