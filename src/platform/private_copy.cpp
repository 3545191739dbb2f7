#include "platform/private_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/fault.hpp"
#include "moult/error.hpp"

namespace moult::platform {
namespace {

[[noreturn]] void fail(ErrorCode code, const std::string& path, const std::string& why) {
  throw Error(code, path + ": " + why);
}

struct stat look_at(const Fd& file, const std::string& path) {
  struct stat status;
  if (::fstat(file.get(), &status) != 0)
    fail(ErrorCode::unreadable, path, std::string("cannot be looked at: ") + std::strerror(errno));
  return status;
}

/// What is copied will run as this user: nobody else may have written it.
void check_owner(const struct stat& status, const std::string& path) {
  if (!S_ISREG(status.st_mode)) fail(ErrorCode::permission_denied, path, "is no regular file; send a shared object");
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    fail(ErrorCode::permission_denied, path,
         "belongs to user " + std::to_string(status.st_uid) + ", and this program runs as " +
             std::to_string(::geteuid()) + "; chown it, or copy it as this user");
  if ((status.st_mode & S_IWOTH) != 0)
    fail(ErrorCode::permission_denied, path, "may be written by everybody; chmod o-w it, its content checked");
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != ::getegid())
    fail(ErrorCode::permission_denied, path, "may be written by another group; chmod g-w it, its content checked");
}

Fd open_trusted(const std::string& path) {
  // Without O_NONBLOCK a named pipe would hold the caller up.
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    ErrorCode code = errno == EACCES || errno == EPERM ? ErrorCode::permission_denied : ErrorCode::unreadable;
    fail(code, path, std::string("cannot be opened: ") + std::strerror(errno));
  }
  check_owner(look_at(file, path), path);
  return file;
}

}  // namespace

PrivateCopy::PrivateCopy(const std::string& path, const std::string& folder) {
  Fd source = open_trusted(path);
  create(path, folder);
  try {
    fill(source, path);
  } catch (...) {
    ::unlink(name_.c_str());
    throw;
  }
  file_.reset();
}

PrivateCopy::~PrivateCopy() {
  if (!is_kept_) ::unlink(name_.c_str());
}

void PrivateCopy::create(const std::string& path, const std::string& folder) {
  name_ = folder + "/" + std::filesystem::path(path).stem().string() + "-XXXXXX.so";
  file_ = Fd(::mkostemps(name_.data(), 3, O_CLOEXEC));
  if (file_) return;
  bool is_full = errno == ENOSPC || errno == EDQUOT;
  fail(is_full ? ErrorCode::no_room : ErrorCode::system, folder,
       "a copy of " + path + " cannot be made there: " + std::strerror(errno) +
           "; give this user a folder that can be written, with room in it");
}

void PrivateCopy::fill(const Fd& source, const std::string& path) {
  MOULT_FAULT("platform.private_copy.fill");
  struct stat before = look_at(source, path);
  std::array<char, 65536> buffer;
  off_t copied = 0;
  for (;;) {
    ssize_t got = ::read(source.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::unreadable, path, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    append(buffer.data(), static_cast<std::size_t>(got));
    copied += got;
  }
  struct stat after = look_at(source, path);
  bool is_still = before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
                  before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
  if (copied != after.st_size || !is_still)
    fail(ErrorCode::unreadable, path, "was written to while it was read; send it again when it is complete");
}

void PrivateCopy::append(const char* bytes, std::size_t size) {
  while (size > 0) {
    ssize_t written = ::write(file_.get(), bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
      fail(is_full ? ErrorCode::no_room : ErrorCode::system, name_,
           std::string("the copy of the update cannot be written: ") + std::strerror(errno) +
               (is_full ? "; make room there and send it again" : ""));
    }
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace moult::platform
