#include "platform/tasks.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "base/fd.hpp"
#include "moult/error.hpp"
#include "platform/mappings.hpp"
#include "platform/x86_64/syscall.hpp"

namespace moult::internal {
namespace {

struct DirectoryEntry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

/// Reads a small file of /proc/self/task/TASK into `buffer` and returns what was read, without allocating.
std::string_view read_task_file(pid_t task, const char* file, char* buffer, std::size_t size) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/%s", static_cast<int>(task), file);
  long fd = raw_syscall(SYS_openat, AT_FDCWD, as_argument(path), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  long got = raw_syscall(SYS_read, fd, as_argument(buffer), static_cast<long>(size));
  raw_syscall(SYS_close, fd);
  return got > 0 ? std::string_view(buffer, static_cast<std::size_t>(got)) : std::string_view();
}

std::string_view field(std::string_view text, std::string_view key) noexcept {
  std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  while (!text.empty() && (text.front() == '\t' || text.front() == ' ')) text.remove_prefix(1);
  return text.substr(0, text.find('\n'));
}

std::uint64_t next_number(std::string_view& text, int base) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  std::uint64_t number = 0;
  std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), number, base);
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return number;
}

bool is_kernel_worker(pid_t task) noexcept {
  // Field 9 of stat holds the kernel's PF_ flags; the fields before it follow the name, which ends with the last ')'.
  constexpr std::uint64_t io_worker = 0x10;
  constexpr std::uint64_t user_worker = 0x4000;
  char buffer[512];
  std::string_view text = read_task_file(task, "stat", buffer, sizeof buffer);
  std::size_t end = text.rfind(')');
  if (end == std::string_view::npos || end + 2 > text.size()) return false;
  text.remove_prefix(end + 2);
  for (int skipped = 3; skipped < 9; ++skipped) {
    std::size_t space = text.find(' ');
    if (space == std::string_view::npos) return false;
    text.remove_prefix(space + 1);
  }
  return (next_number(text, 10) & (io_worker | user_worker)) != 0;
}

}  // namespace

pid_t own_task() noexcept { return static_cast<pid_t>(raw_syscall(SYS_gettid)); }

pid_t own_process() noexcept { return static_cast<pid_t>(raw_syscall(SYS_getpid)); }

TaskList::TaskList() : directory_(::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!directory_)
    throw Error(ErrorCode::system, "cannot open /proc/self/task; is /proc mounted, is a descriptor free?");
}

TaskList::Listing TaskList::read(std::vector<pid_t>& tasks) const noexcept {
  tasks.clear();
  raw_syscall(SYS_lseek, directory_.get(), 0, SEEK_SET);
  alignas(DirectoryEntry) char buffer[16384];
  for (;;) {
    long got = raw_syscall(SYS_getdents64, directory_.get(), as_argument(buffer), sizeof buffer);
    if (got <= 0) return got == 0 ? Listing::complete : Listing::unreadable;
    for (long at = 0; at < got;) {
      const char* entry = buffer + at;
      std::uint16_t length;
      std::memcpy(&length, entry + offsetof(DirectoryEntry, length), sizeof length);
      std::string_view name(entry + offsetof(DirectoryEntry, name));
      if (name.front() != '.') {
        if (tasks.size() == tasks.capacity()) return Listing::no_room;
        tasks.push_back(static_cast<pid_t>(next_number(name, 10)));
      }
      at += length;
    }
  }
}

std::size_t TaskList::count() const noexcept {
  // A folder's link count is two plus the number of its subfolders.
  struct stat status;
  if (::fstat(directory_.get(), &status) != 0 || status.st_nlink < 2) return 0;
  return static_cast<std::size_t>(status.st_nlink) - 2;
}

std::string task_name(pid_t task) {
  char buffer[32];
  std::string_view name = read_task_file(task, "comm", buffer, sizeof buffer);
  if (name.ends_with('\n')) name.remove_suffix(1);
  return name.empty() ? "?" : std::string(name);
}

TaskStatus task_status(pid_t task) noexcept {
  char buffer[4096];
  TaskStatus status;
  status.exists = raw_syscall(SYS_tgkill, ::getpid(), task, 0) != -ESRCH;
  std::string_view text = read_task_file(task, "status", buffer, sizeof buffer);
  if (text.empty()) return status;  // gone, or no descriptor is free: nothing more is known
  std::string_view state = field(text, "State:");
  status.is_dead = state.starts_with('Z') || state.starts_with('X');
  status.is_runnable = state.starts_with('R');
  status.is_traced = state.starts_with('t') || state.starts_with('T');
  status.is_debugged = field(text, "TracerPid:") != "0";
  std::string_view blocked = field(text, "SigBlk:");
  status.blocked_signals = next_number(blocked, 16);
  status.is_kernel_worker = is_kernel_worker(task);
  return status;
}

BlockedCall blocked_call(pid_t task) noexcept {
  char buffer[256];
  std::string_view text = read_task_file(task, "syscall", buffer, sizeof buffer);
  BlockedCall call;
  bool is_outside = text.starts_with("-1 ");  // of any call: in a fault
  if (!is_outside && (text.empty() || text.front() < '0' || text.front() > '9')) return call;  // "running"
  if (is_outside) {
    text.remove_prefix(3);
  } else {
    call.number = static_cast<long>(next_number(text, 10));
    for (std::uint64_t& argument : call.arguments) argument = next_number(text, 16);
  }
  call.stack_pointer = next_number(text, 16);
  call.program_counter = next_number(text, 16);
  return call;
}

std::uint64_t time_run(pid_t task) noexcept {
  char buffer[128];
  std::string_view text = read_task_file(task, "schedstat", buffer, sizeof buffer);
  return next_number(text, 10);
}

bool awaits_signal(const BlockedCall& call, int signal) noexcept {
  if (call.number != SYS_rt_sigtimedwait || !is_readable(call.arguments[0])) return false;
  std::uint64_t set;
  std::memcpy(&set, reinterpret_cast<const void*>(call.arguments[0]), sizeof set);
  return ((set >> (signal - 1)) & 1) != 0;
}

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

std::string describe_thread(ThreadId thread) {
  const pid_t task = static_cast<pid_t>(thread);
  return task_name(task) + " (" + std::to_string(task) + ")";
}

}  // namespace moult::internal
