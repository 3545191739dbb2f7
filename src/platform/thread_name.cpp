#include "platform/thread_name.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <cstdio>

#include "platform/x86_64/syscall.hpp"

namespace moult::internal {

void name_this_thread(const char* name) noexcept { pthread_setname_np(pthread_self(), name); }

void name_task(pid_t task, std::string_view name) noexcept {
  constexpr std::size_t longest = 15;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/comm", static_cast<int>(task));
  const long file = raw_syscall(SYS_openat, AT_FDCWD, as_argument(path), O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  const std::string_view known = name.substr(0, longest);
  raw_syscall(SYS_write, file, as_argument(known.data()), static_cast<long>(known.size()));
  raw_syscall(SYS_close, file);
}

}  // namespace moult::internal
