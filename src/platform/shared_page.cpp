#include "platform/shared_page.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fault.hpp"
#include "base/fd.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"

namespace moult::internal {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw Error(ErrorCode::system, path + ": " + std::strerror(error));
}

}  // namespace

SharedPage::SharedPage(const std::string& path) {
  MOULT_FAULT("platform.shared_page.make");
  ::unlink(path.c_str());
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) fail(path, errno);
  path_ = OwnedPath(path);
  // Allocated now: a page for which the file system has no room later would cause a SIGBUS.
  const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(page_size()));
  if (error != 0) fail(path, error);
  void* const mapped = ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) fail(path, errno);
  begin_ = static_cast<std::byte*>(mapped);
}

SharedPage::~SharedPage() { ::munmap(begin_, page_size()); }

}  // namespace moult::internal
