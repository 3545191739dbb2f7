// Threads of moult's own that a stop leaves awake, since stopped threads or the stopper may need them.
//
// A thread that waits for a page of memory to be filled cannot always be stopped, and the stopper itself may touch such
// a page. So those who fill pages are not stopped. They run code of the program's all the same (transformers), and that
// a stop must not meet half done. Hence two states: a service thread that is not at work is as good as stopped, and
// one at work is waited for. While the program stands still work is begun for the stopper only, or for a thread that is
// at such work already.
//
// Who may do what: the lock here is taken by service threads and by the stopper, neither of which is ever stopped. So
// the stopper may wait for it, and threads of the program never see it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace moult::internal {

/// Makes the calling thread wakeful for the scope's life: no stop asks it, and it has every signal blocked that can be.
class ServiceThread final {
 public:
  /// Throws std::bad_alloc.
  ServiceThread();
  ~ServiceThread();
  ServiceThread(const ServiceThread&) = delete;
  ServiceThread& operator=(const ServiceThread&) = delete;
};

/// Whether the calling thread is one. Takes no lock.
bool is_service_thread() noexcept;

/// Work that no stop meets half done. The constructor waits until it may begin. It must not stop the program itself.
class ServiceWork final {
 public:
  /// `task` is who waits for it. Called in a service thread.
  explicit ServiceWork(pid_t task);
  ~ServiceWork();
  ServiceWork(const ServiceWork&) = delete;
  ServiceWork& operator=(const ServiceWork&) = delete;
};

/// For the stopper: while it lives nobody is at such work, not even for the stopper, who must touch nothing then that
/// somebody has to provide.
class NoServiceWork final {
 public:
  NoServiceWork() noexcept;
  ~NoServiceWork();
  NoServiceWork(const NoServiceWork&) = delete;
  NoServiceWork& operator=(const NoServiceWork&) = delete;
};

/// Whether the thread is at such work, or has the program stopped: then work for it is done before the stop is over.
bool is_served_in_stop(pid_t task) noexcept;

/// For the stopper: adds the service threads but itself to `tasks`. Throws std::bad_alloc.
void add_service_tasks(pid_t stopper, std::vector<pid_t>& tasks);
/// For the stopper, when all other threads stand: waits until no work is going on, and from then on lets none begin but
/// its own. False when there still is some at the deadline; work may begin then. Does not allocate.
bool await_rest(pid_t stopper, std::chrono::steady_clock::time_point deadline) noexcept;
/// The end of it.
void end_rest() noexcept;

/// In the child after fork, where there are none of these threads.
void forget_service_threads() noexcept;

}  // namespace moult::internal
