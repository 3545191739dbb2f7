// Static update points from the threads' side: a thread stays where the program chose to be changed.
//
// Problem: quiescence says that a function is not active, not that the program is between two of its steps. A point
// says just that; the program's author chose it.
//
// Approach: a point reads a global count of waiting updates, and nothing else while it is 0. Otherwise the thread looks
// into the registry (point_registry.hpp, with the protocol) under its lock. If it is wanted, it sleeps on the word of a
// seat on its own stack. StoppedWorld then stops the program around sleeping threads as usual: they hold no lock of
// moult, and a system call is a safepoint. A seat's word:
//
//   waiting --end_wait (manager), or expire (a thread, for an abandoned wait)--> released
//   waiting --work_at_point (manager)--> called --do_work (the thread)--> waiting
//   called --end_wait (by the work itself)--> released
//
// The registry's lock guards a seat while it is in the registry. Removal ends with writing `released` under the lock;
// from then on the seat belongs to its thread alone. The following wake may come after the thread has gone on; any
// futex at that address then wakes for no reason. Work belongs to the manager until it is in the seat, to the seat's
// thread until `is_done`, and then to the manager again.
//
// An active thread applies the update's steps by itself, from the stop to the resume, while the manager waits for it:
// it stops the program, manager included, from its point.
//
// Limits: a thread that holds what another needs to reach its point keeps that one away until the update's patience
// ends.
#include "points/static_points.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "base/transaction.hpp"
#include "moult/error.hpp"
#include "platform/fork_handlers.hpp"
#include "platform/futex.hpp"
#include "platform/tasks.hpp"
#include "threads/stop_mutex.hpp"
#include "threads/stopped_world.hpp"

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

constinit std::atomic<std::uint32_t> static_point_waits{0};

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE

namespace moult::internal {

/// Steps of an update that a thread runs at its point. On the stack of the waiting manager.
struct Work {
  const std::function<void()>& steps;
  std::exception_ptr failure;
  std::atomic<std::uint32_t> is_done{0};  ///< a futex
};

struct Seat {
  std::atomic<std::uint32_t> word{static_cast<std::uint32_t>(SeatWord::waiting)};  ///< a futex
  Work* work = nullptr;
  std::function<void()> exit;

  SeatWord says() const noexcept { return static_cast<SeatWord>(word.load()); }
  void say(SeatWord next) noexcept {
    word = static_cast<std::uint32_t>(next);
    futex_wake_all(word);
  }
};

namespace {

/// The child has only the thread that forked; the lock's holder may be missing.
void reset_points_in_child() {
  detail::static_point_waits = 0;
  new (&point_registry()) Guarded<PointRegistry>;
}

void release(Seat* seat) noexcept { seat->say(SeatWord::released); }

/// An inline manager whose owner stops calling it must not keep threads for ever.
void expire_forgotten_waits() noexcept {
  const std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
  auto is_forgotten = [now](const PointWait& wait) {
    return now >= wait.good_until && !static_cast<const Transaction*>(wait.owner)->is_in_hand();
  };
  point_registry().with([&](PointRegistry& points) { points.expire(is_forgotten, release); });
}

void do_work(Seat& seat) noexcept {
  Work& work = *seat.work;
  try {
    work.steps();
  } catch (...) {
    work.failure = std::current_exception();
  }
  std::uint32_t found = seat.word;
  while (
      !seat.word.compare_exchange_weak(found, static_cast<std::uint32_t>(after_work(static_cast<SeatWord>(found))))) {
  }
  work.is_done = 1;
  futex_wake_all(work.is_done);
}

void sit(Seat& seat) noexcept {
  constexpr std::chrono::milliseconds between_looks{100};
  for (;;) {
    const SeatWord word = seat.says();
    if (word == SeatWord::released) return;
    if (word == SeatWord::called) {
      do_work(seat);
      continue;
    }
    futex_wait_for(seat.word, static_cast<std::uint32_t>(word), between_looks);
    if (seat.says() == SeatWord::waiting) expire_forgotten_waits();
  }
}

thread_local bool is_active = false;

/// Stays as long as an update wants the thread, and returns its pending exit. Does not throw: without memory the thread
/// passes the point, and the update waits for the next time.
std::function<void()> stay(std::string_view point, bool is_at_start) noexcept {
  Seat seat;
  const Seated arrival{this_thread_id(), point, is_at_start, is_active, &seat};
  try {
    if (!point_registry().with([&](PointRegistry& points) { return points.arrive(arrival); })) return {};
  } catch (const std::bad_alloc&) {
    return {};
  }
  point_registry().notify();
  sit(seat);
  return std::move(seat.exit);
}

/// The seat of a thread at a point; a thread before its main function has none.
Seat* seat_at_point(PointRegistry& points, ThreadId thread) noexcept {
  const Seated* seated = points.seat_of(thread);
  return seated == nullptr || seated->is_at_start ? nullptr : seated->seat;
}

}  // namespace

/// Never destroyed: threads may reach points while the program ends.
Guarded<PointRegistry>& point_registry() {
  static auto* const made = new Guarded<PointRegistry>;
  return *made;
}

void be_ready_for_fork() { register_fork_handlers(ForkPlace::static_points, {.in_child = reset_points_in_child}); }

void begin_wait(PointWait wait) {
  be_ready_for_fork();
  point_registry().with([&](PointRegistry& points) {
    if (points.find(wait.owner) != nullptr)
      throw Error(ErrorCode::invalid_argument,
                  "this update waits for threads at static update points already; name all points in one call");
    if (!points.means_anybody(wait))
      throw Error(ErrorCode::not_found,
                  "there is no moult::Thread that could reach a static update point; name the threads to wait for");
    points.begin(std::move(wait));
    detail::static_point_waits = static_cast<std::uint32_t>(points.count());
  });
}

void end_wait(const void* owner) noexcept {
  point_registry().with([owner](PointRegistry& points) {
    points.end(owner, release);
    detail::static_point_waits = static_cast<std::uint32_t>(points.count());
  });
}

void work_at_point(const void* owner, const std::function<void()>& steps) {
  Work work{steps, nullptr};
  const bool is_called = point_registry().with([&](PointRegistry& points) {
    Seat* seat = points.active_seat(owner);
    if (seat == nullptr) return false;
    seat->work = &work;
    seat->say(SeatWord::called);
    return true;
  });
  if (!is_called) return steps();
  while (work.is_done == 0) futex_wait(work.is_done, 0);
  if (work.failure != nullptr) std::rethrow_exception(work.failure);
}

std::optional<std::string> point_of(ThreadId thread) {
  return point_registry().with([thread](PointRegistry& points) -> std::optional<std::string> {
    const Seated* seated = points.seat_of(thread);
    if (seated == nullptr || seated->is_at_start) return std::nullopt;
    return std::string(seated->point);
  });
}

void set_pending_exit(ThreadId thread, std::function<void()> exit) {
  const bool is_there = point_registry().with([&](PointRegistry& points) {
    Seat* seat = seat_at_point(points, thread);
    if (seat != nullptr) seat->exit = std::move(exit);
    return seat != nullptr;
  });
  if (!is_there)
    throw Error(ErrorCode::not_found,
                describe_thread(thread) + " does not stay at a static update point; wait until it has reached one");
}

void clear_pending_exit(ThreadId thread) noexcept {
  std::function<void()> exit;  // its captures are destroyed outside of the lock
  point_registry().with([&](PointRegistry& points) {
    if (Seat* seat = seat_at_point(points, thread)) std::swap(exit, seat->exit);
  });
}

void begin_thread(ThreadRole role, const std::function<void()>& publish) {
  be_ready_for_fork();
  is_active = role == ThreadRole::active;
  point_registry().with([](PointRegistry& points) { points.add_thread(this_thread_id()); });
  publish();
  if (detail::static_point_waits != 0) stay({}, true);
}

void end_thread() noexcept {
  point_registry().with([](PointRegistry& points) { points.remove_thread(this_thread_id()); });
  if (detail::static_point_waits != 0) point_registry().notify();
}

}  // namespace moult::internal

namespace moult {

void detail::stop_at_static_point(std::string_view name) {
  if (internal::Transaction::current() != nullptr) return;  // an update's own code, perhaps in a stopped program
  internal::let_stop_pass();
  if (const std::function<void()> exit = internal::stay(name, false)) exit();
}

}  // namespace moult
