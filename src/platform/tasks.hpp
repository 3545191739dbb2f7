// The threads of this process as the kernel knows them, whoever created them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

#include "moult/update.hpp"

namespace moult::internal {

pid_t own_task() noexcept;
/// This process, also in a child that was forked without the C library's knowing.
pid_t own_process() noexcept;

/// The list of this process's tasks. Opened beforehand, since in a stopped program even a free descriptor is no
/// certainty.
class TaskList final {
 public:
  /// Throws Error (system).
  TaskList();

  /// Puts the ids of all tasks into `tasks`, which is cleared first; false when its capacity is not enough.
  bool read(std::vector<pid_t>& tasks) const noexcept;
  /// How many tasks there are, by one system call.
  std::size_t count() const noexcept;

 private:
  Fd directory_;
};

/// The task's name (at most 15 bytes), "?" when it is gone.
std::string task_name(pid_t task);

/// What /proc says of a task that does not answer.
struct TaskStatus {
  bool exists = false;
  bool is_kernel_worker = false;  ///< an io_uring or vhost worker: it never runs the program's code
  bool is_dead = false;           ///< a zombie: it will not run again
  bool is_runnable = false;       ///< runs, or would if it had a processor
  bool is_traced = false;         ///< stopped by a debugger or job control
  bool is_debugged = false;       ///< a debugger is attached, whether it has stopped it or not
  std::uint64_t blocked_signals = 0;
  bool blocks(int signal) const noexcept { return ((blocked_signals >> (signal - 1)) & 1) != 0; }
};
TaskStatus task_status(pid_t task) noexcept;

/// The system call a task is blocked in.
struct BlockedCall {
  long number = -1;  ///< -1: none, or not known; if the program counter is not 0 it is blocked at an instruction there
  std::uint64_t arguments[6] = {};
  std::uint64_t stack_pointer = 0;
  std::uint64_t program_counter = 0;
};
BlockedCall blocked_call(pid_t task) noexcept;

/// Nanoseconds that the task has had a processor; 0 when that is not known.
std::uint64_t time_run(pid_t task) noexcept;

/// True for sigwait and its relatives, called for a set with `signal` in it: they would take it as their result.
bool awaits_signal(const BlockedCall& call, int signal) noexcept;

/// Names the calling thread; at most 15 characters.
void name_this_thread(const char* name) noexcept;
/// Names a thread of this process by its first 15 characters; nothing when it is gone.
void name_task(pid_t task, std::string_view name) noexcept;

/// "name (id)", from /proc.
std::string describe_thread(ThreadId thread);

}  // namespace moult::internal
