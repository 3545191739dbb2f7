#include "threads/service_threads.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <new>

#include "platform/signal_mask.hpp"
#include "platform/tasks.hpp"

namespace moult::internal {
namespace {

/// So that is_service_thread needs no lock.
[[gnu::tls_model("initial-exec")]] thread_local constinit bool this_thread_is_service = false;

struct Resting {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<pid_t> tasks;    // all service threads
  std::vector<pid_t> working;  // service threads at work; room for all is reserved
  std::size_t announced = 0;   // service threads for which there is room, and which are not there yet
  pid_t stopper = 0;
  bool is_barred = false;

  /// For one more service thread.
  void make_room() {
    const std::size_t count = tasks.size() + announced + 1;
    tasks.reserve(count);
    working.reserve(count);
  }
  bool is_working(pid_t task) const noexcept {
    return std::find(working.begin(), working.end(), task) != working.end();
  }
  bool may_begin(pid_t task) const noexcept {
    return !is_barred && (stopper == 0 || task == stopper || is_working(task));
  }
};

/// Never destroyed: its threads run until the process ends.
Resting& resting() noexcept {
  alignas(Resting) static std::byte place[sizeof(Resting)];
  static Resting& made = *new (place) Resting;
  return made;
}

}  // namespace

bool is_service_thread() noexcept { return this_thread_is_service; }

void announce_service_thread() {
  Resting& all = resting();
  std::scoped_lock lock(all.mutex);
  all.make_room();
  ++all.announced;
}

ServiceThread::ServiceThread() {
  Resting& all = resting();
  std::scoped_lock lock(all.mutex);
  if (all.announced == 0) all.make_room();
  if (all.announced > 0) --all.announced;
  block_signals_for_good();
  all.tasks.push_back(own_task());
  this_thread_is_service = true;
}

ServiceThread::~ServiceThread() {
  Resting& all = resting();
  std::scoped_lock lock(all.mutex);
  std::erase(all.tasks, own_task());
  this_thread_is_service = false;
}

ServiceWork::ServiceWork(pid_t task) {
  Resting& all = resting();
  std::unique_lock lock(all.mutex);
  all.changed.wait(lock, [&] { return all.may_begin(task); });
  all.working.push_back(own_task());
}

ServiceWork::~ServiceWork() {
  Resting& all = resting();
  std::scoped_lock lock(all.mutex);
  all.working.erase(std::find(all.working.begin(), all.working.end(), own_task()));
  all.changed.notify_all();
}

bool is_served_in_stop(pid_t task) noexcept {
  Resting& all = resting();
  std::scoped_lock lock(all.mutex);
  return task == all.stopper || all.is_working(task);
}

void add_service_tasks(pid_t stopper, std::vector<pid_t>& tasks) {
  Resting& all = resting();
  std::scoped_lock lock(all.mutex);
  for (pid_t task : all.tasks)
    if (task != stopper) tasks.push_back(task);
}

bool await_rest(pid_t stopper, std::chrono::steady_clock::time_point deadline) noexcept {
  Resting& all = resting();
  std::unique_lock lock(all.mutex);
  all.stopper = stopper;
  if (all.changed.wait_until(lock, deadline, [&] { return all.working.empty(); })) return true;
  all.stopper = 0;
  all.changed.notify_all();
  return false;
}

void end_rest() noexcept {
  Resting& all = resting();
  std::scoped_lock lock(all.mutex);
  all.stopper = 0;
  all.changed.notify_all();
}

NoServiceWork::NoServiceWork() noexcept {
  Resting& all = resting();
  std::unique_lock lock(all.mutex);
  all.changed.wait(lock, [&] { return all.working.empty(); });
  all.is_barred = true;
}

NoServiceWork::~NoServiceWork() {
  Resting& all = resting();
  std::scoped_lock lock(all.mutex);
  all.is_barred = false;
  all.changed.notify_all();
}

void forget_service_threads() noexcept {
  Resting& all = resting();
  new (&all) Resting;  // not destroyed: another thread may have held the lock
}

}  // namespace moult::internal
