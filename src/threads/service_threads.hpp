// Threads of moult's own that a stop leaves running, because stopped threads or the stopping thread may need them.
//
// A thread that waits for a page cannot always be stopped, and the stopping thread itself may access a missing page. So
// the threads that fill pages are not stopped. But they also run code of the program (transformers), which a stop must
// not meet halfway. Hence two states: a service thread without work counts as stopped, and a stop waits for the end of
// service work in progress. While the program stands still, work begins only for the stopping thread, and for threads
// that are at such work.
//
// Threads: only service threads and the stopping thread take the lock here. Neither is ever stopped, so the stopping
// thread may wait for it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace moult::internal {

/// Makes room for a thread that is about to become a service thread, so that it can do so without memory. Throws
/// std::bad_alloc.
void announce_service_thread();

/// Makes the calling thread a service thread for the scope's life: no stop stops it, and it blocks every signal that
/// can be blocked.
class ServiceThread final {
 public:
  /// Throws std::bad_alloc if the thread was not announced.
  ServiceThread();
  ~ServiceThread();
  ServiceThread(const ServiceThread&) = delete;
  ServiceThread& operator=(const ServiceThread&) = delete;
};

/// Whether the calling thread is a service thread. Takes no lock.
bool is_service_thread() noexcept;

/// Work that no stop meets halfway. The constructor waits until the work may begin. The work must not stop the program.
class ServiceWork final {
 public:
  /// `task` is the thread that waits for the work. Called in a service thread.
  explicit ServiceWork(pid_t task);
  ~ServiceWork();
  ServiceWork(const ServiceWork&) = delete;
  ServiceWork& operator=(const ServiceWork&) = delete;
};

/// For the stopping thread: while this lives no service work is in progress, not even for the stopping thread. That
/// thread must not access a page that service work would fill.
class NoServiceWork final {
 public:
  NoServiceWork() noexcept;
  ~NoServiceWork();
  NoServiceWork(const NoServiceWork&) = delete;
  NoServiceWork& operator=(const NoServiceWork&) = delete;
};

/// Whether the thread is at service work, or has the program stopped: work for it begins before the stop ends.
bool is_served_in_stop(pid_t task) noexcept;

/// For the stopping thread: adds all service threads except itself to `tasks`. Throws std::bad_alloc.
void add_service_tasks(pid_t stopper, std::vector<pid_t>& tasks);
/// For the stopping thread, when all other threads stand still: waits until no work is in progress. From then on only
/// work for the stopping thread begins. False when work is still in progress at the deadline; then any work may begin.
/// Does not allocate.
bool await_rest(pid_t stopper, std::chrono::steady_clock::time_point deadline) noexcept;
/// Ends that: any work may begin.
void end_rest() noexcept;

/// In the child after fork, which has none of these threads.
void forget_service_threads() noexcept;

}  // namespace moult::internal
