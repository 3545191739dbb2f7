#include "platform/private_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/fault.hpp"
#include "moult/error.hpp"

namespace moult::internal {
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

/// False, with errno set, if the kernel refuses.
bool write_at(const Fd& file, const PrivateCopy::Change& change) {
  for (std::size_t done = 0; done < change.bytes.size();) {
    const ssize_t written = ::pwrite(file.get(), change.bytes.data() + done, change.bytes.size() - done,
                                     static_cast<off_t>(change.offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

PrivateCopy::PrivateCopy(const Fd& source, const std::string& path, const std::string& folder) {
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
  while (copied <= before.st_size) {  // a file that grows as fast as it is read would have no end
    ssize_t got = ::pread(source.get(), buffer.data(), buffer.size(), copied);
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

void PrivateCopy::overwrite(std::span<const Change> changes) const {
  if (changes.empty()) return;
  MOULT_FAULT("platform.private_copy.overwrite");
  const Fd file(::open(name_.c_str(), O_WRONLY | O_CLOEXEC));
  if (file && std::ranges::all_of(changes, [&](const Change& change) { return write_at(file, change); })) return;
  const bool is_full = errno == ENOSPC || errno == EDQUOT;
  fail(is_full ? ErrorCode::no_room : ErrorCode::system, name_,
       std::string("the copy of the update cannot be written: ") + std::strerror(errno));
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

}  // namespace moult::internal
