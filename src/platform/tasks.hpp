// The threads of this process as the kernel knows them, whichever library created them.
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
/// This process, also in a child that was forked without the C library.
pid_t own_process() noexcept;

/// The list of this process's tasks. It is opened in advance, because in a stopped program there may be no free
/// descriptor.
class TaskList final {
 public:
  /// Throws Error (system).
  TaskList();

  enum class Listing : std::uint8_t {
    complete,
    no_room,     ///< the capacity is too small
    unreadable,  ///< the kernel gives no list
  };
  /// Puts the ids of all tasks into `tasks`, which is cleared first.
  Listing read(std::vector<pid_t>& tasks) const noexcept;
  /// The number of tasks, by one system call.
  std::size_t count() const noexcept;

 private:
  Fd directory_;
};

/// The task's name (at most 15 bytes); "?" if the task is gone.
std::string task_name(pid_t task);

/// What /proc says about a task.
struct TaskStatus {
  bool exists = false;
  bool is_kernel_worker = false;  ///< an io_uring or vhost worker: it never runs the program's code
  bool is_dead = false;           ///< a zombie: it never runs again
  bool is_runnable = false;       ///< it runs, or waits only for a processor
  bool is_traced = false;         ///< stopped by a debugger or job control
  bool is_debugged = false;       ///< a debugger is attached, whether it has stopped the task or not
  std::uint64_t blocked_signals = 0;
  bool blocks(int signal) const noexcept { return ((blocked_signals >> (signal - 1)) & 1) != 0; }
};
TaskStatus task_status(pid_t task) noexcept;

/// The system call in which a task is blocked.
struct BlockedCall {
  long number =
      -1;  ///< -1: none or unknown; then a program counter other than 0 means that it is blocked at that instruction
  std::uint64_t arguments[6] = {};
  std::uint64_t stack_pointer = 0;
  std::uint64_t program_counter = 0;
};
BlockedCall blocked_call(pid_t task) noexcept;

/// The nanoseconds that the task has run on a processor; 0 if that is not known.
std::uint64_t time_run(pid_t task) noexcept;

/// True for sigwait and similar calls with `signal` in their set: they would take the signal as their result.
bool awaits_signal(const BlockedCall& call, int signal) noexcept;

/// Sets the calling thread's name, which ps, gdb and `moult threads` show. At most 15 characters.
void name_this_thread(const char* name) noexcept;
/// Sets the name of a thread of this process, cut to 15 characters. Does nothing if the thread is gone.
void name_task(pid_t task, std::string_view name) noexcept;

/// "name (id)", from /proc.
std::string describe_thread(ThreadId thread);

}  // namespace moult::internal
