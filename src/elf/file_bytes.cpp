#include "elf/file_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "elf/elf_file.hpp"

namespace moult::internal {
namespace {

[[noreturn]] void throw_cut_short(const std::string& path, const char* what) {
  throw_unreadable(path, std::string("is cut short: ") + what +
                             " lies beyond the end of the file; was it still being written? Copy it elsewhere and "
                             "rename it into place");
}

std::uint64_t size_of(int file, const std::string& path) {
  struct stat status {};
  if (::fstat(file, &status) != 0) throw_unreadable(path, std::string("cannot be looked at: ") + std::strerror(errno));
  if (S_ISDIR(status.st_mode)) throw_unreadable(path, "is a directory, not an update");
  if (!S_ISREG(status.st_mode)) throw_unreadable(path, "is no regular file");
  if (status.st_size == 0) throw_unreadable(path, "is empty");
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

FileBytes::FileBytes(const std::string& path)
    // Without O_NONBLOCK a named pipe would hold the caller up.
    : path_(path), own_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), file_(own_.get()) {
  if (!own_) throw_unreadable(path, std::string("cannot be opened: ") + std::strerror(errno));
  size_ = size_of(file_, path_);
}

FileBytes::FileBytes(const Fd& file, std::string path)
    : path_(std::move(path)), file_(file.get()), size_(size_of(file_, path_)) {}

void FileBytes::require(std::uint64_t offset, std::uint64_t size, const char* what) const {
  if (offset > size_ || size > size_ - offset) throw_cut_short(path_, what);
}

std::string FileBytes::read(std::uint64_t offset, std::uint64_t size, const char* what) const {
  require(offset, size, what);
  std::string bytes(size, '\0');
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t got = ::pread(file_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_unreadable(path_, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) throw_cut_short(path_, what);
    done += static_cast<std::uint64_t>(got);
  }
  return bytes;
}

}  // namespace moult::internal
