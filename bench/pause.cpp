// How long a function update stops the program, against the bare rendezvous of any stop: signal all threads, wait until
// all handlers run, release them. And the cost of the stack walk.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <thread>

#include "bench.hpp"
#include "moult/manager.hpp"
#include "moult/updates.hpp"
#include "platform/futex.hpp"
#include "platform/tasks.hpp"
#include "threads/stopped_world.hpp"

namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

MOULT_UPDATABLE int target(int x) { return x + 1; }
MOULT_UPDATABLE int target_a(int x) { return x + 2; }
MOULT_UPDATABLE int target_b(int x) { return x + 3; }

/// Threads that sleep 20 calls deep until the group ends.
class BlockedThreads {
 public:
  explicit BlockedThreads(int count) {
    for (int i = 0; i < count; ++i)
      threads_.emplace_back([this] {
        tasks_at(moult::internal::own_task());
        descend(20);
      });
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return static_cast<int>(tasks_.size()) == count; });
    lock.unlock();
    for (pid_t task : tasks_)
      while (moult::internal::blocked_call(task).number < 0) std::this_thread::yield();
  }
  ~BlockedThreads() {
    {
      std::scoped_lock lock(mutex_);
      is_over_ = true;
    }
    over_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  const std::vector<pid_t>& tasks() const { return tasks_; }

 private:
  void tasks_at(pid_t task) {
    std::scoped_lock lock(mutex_);
    tasks_.push_back(task);
    ready_.notify_one();
  }
  [[gnu::noinline]] int descend(int depth) {
    if (depth == 0) {
      std::unique_lock lock(mutex_);
      over_.wait(lock, [this] { return is_over_; });
      return 0;
    }
    volatile int below = descend(depth - 1);
    return below + 1;
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::vector<pid_t> tasks_;
  std::vector<std::thread> threads_;
};

// The bare rendezvous.
std::atomic<std::uint32_t> arrived{0};
std::atomic<std::uint32_t> wanted{0};
std::atomic<std::uint32_t> generation{0};

void on_rendezvous(int) {
  std::uint32_t now = generation.load();
  if (arrived.fetch_add(1) + 1 == wanted.load()) moult::internal::futex_wake_all(arrived);
  while (generation.load() == now) moult::internal::futex_wait(generation, now);
}

double bare_rendezvous(const std::vector<pid_t>& tasks) {
  arrived = 0;
  wanted = static_cast<std::uint32_t>(tasks.size());
  return bench::seconds_of([&] {
    for (pid_t task : tasks) syscall(SYS_tgkill, getpid(), task, SIGRTMIN + 1);
    for (std::uint32_t so_far; (so_far = arrived.load()) < wanted;) moult::internal::futex_wait(arrived, so_far);
    generation.fetch_add(1);
    moult::internal::futex_wake_all(generation);
  });
}

/// An update that makes the bare rendezvous first, where moult would stop the threads. Both then find the processor's
/// caches and the idle processors as the preparation leaves them.
class RendezvousFirst : public moult::SafeRedefineUpdate {
 public:
  RendezvousFirst(const moult::Redefinition& redefinition, const std::vector<pid_t>& tasks, double& seconds)
      : SafeRedefineUpdate("pause", {redefinition}), tasks_(tasks), seconds_(seconds) {}
  void preupdate_setup() override { seconds_ = bare_rendezvous(tasks_); }

 private:
  const std::vector<pid_t>& tasks_;
  double& seconds_;
};

moult::Redefinition next_redefinition() {
  static bool is_a = false;
  is_a = !is_a;
  return {target, is_a ? target_a : target_b};
}

double pause_of(moult::Manager& manager, std::unique_ptr<moult::Update> update) {
  moult::UpdateHandle handle = manager.add_update(std::move(update));
  manager.apply_next_update();
  moult::UpdateReport report = handle.report();
  if (report.state != moult::UpdateState::applied) throw std::runtime_error("update not applied: " + report.reason);
  return std::chrono::duration<double>(report.pause).count();
}

bench::Row walk_row() {
  BlockedThreads threads(64);
  std::vector<double> costs;
  for (int round = 0; round < 51; ++round) {
    std::unique_ptr<moult::internal::StoppedWorld> stopped =
        moult::internal::StoppedWorld::stop({.timeout = std::chrono::seconds(10), .keep_out = {}});
    long frames = 0;
    double seconds = bench::seconds_of(
        [&] { stopped->walk_all([&frames](moult::ThreadId, const moult::internal::Frame&) { return ++frames > 0; }); });
    costs.push_back(seconds / static_cast<double>(frames) * 1e6);
  }
  double cost = bench::median(costs);
  return {"unwinding a frame", cost, "us", "1 us", cost / 1.0, 1.0};
}

}  // namespace subject

namespace bench {
using subject::BlockedThreads;
using subject::next_redefinition;
using subject::on_rendezvous;
using subject::pause_of;
using subject::RendezvousFirst;
using subject::walk_row;

Rows measure_pause() {
  struct sigaction action {};
  action.sa_handler = on_rendezvous;
  action.sa_flags = SA_RESTART;
  sigaction(SIGRTMIN + 1, &action, nullptr);
  moult::Manager manager("bench");
  Rows rows;
  for (int count : {1, 8, 64, 1000}) {
    BlockedThreads threads(count);
    Pair pair = interleave(
        count == 1000 ? 11 : 41,
        [&] {
          return pause_of(manager, std::make_unique<moult::SafeRedefineUpdate>(
                                       "pause", std::vector<moult::Redefinition>{next_redefinition()}));
        },
        [&] {
          double seconds = 0;
          pause_of(manager, std::make_unique<RendezvousFirst>(next_redefinition(), threads.tasks(), seconds));
          return seconds;
        });
    rows.push_back({"pause of a function update, " + std::to_string(count) + " blocked threads", pair.measured * 1e6,
                    "us", "a bare rendezvous, " + std::to_string(pair.reference * 1e6) + " us",
                    pair.measured / pair.reference, 2.0});
  }
  rows.push_back(walk_row());
  return rows;
}

}  // namespace bench
