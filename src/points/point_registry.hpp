// The registry of static update points: which updates wait for threads, and which threads have reached a point.
//
// The registry is plain data under one lock (static_points.cpp). Each call is one step of the protocol;
// tests/unit/points/point_registry_test.cpp runs the steps in every order.
//
// The protocol:
//   manager   begin        registers the wait; from now on threads that it wants stay
//   thread    arrive       wanted: takes a seat, and sleeps until the seat's word is `called` or `released`
//                          not wanted: passes
//   manager   active_seat  picks a seat of its wait whose thread applies the update; its word becomes `called`
//   thread    work         applies it, and sets the word to `waiting` again unless it was released meanwhile
//   manager   is_reached   every wanted thread has a seat; this stays true, since only `end` and `expire` empty seats,
//                          and new moult::Threads take a seat before they begin
//   manager   is_deserted  every wanted thread has ended without a seat: the update fails, and ends its wait
//   manager   end          removes the wait, and every seat that no other wait wants; their words become `released`
//   thread    expire       the same for waits that their managers have abandoned
//
// A seat lies on its thread's stack. It is removed from the registry first, and released as the last access to it, both
// under the lock. So a thread is seen by `end`, or does not see the wait: none sleeps on, and none is woken twice.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "moult/update.hpp"

namespace moult::internal {

struct Seat;

/// The message that a seat's word carries to its thread.
enum class SeatWord : std::uint32_t { waiting, called, released };

/// The word after the thread has done its work, which may have released it.
constexpr SeatWord after_work(SeatWord found) noexcept { return found == SeatWord::called ? SeatWord::waiting : found; }

/// A thread at a point, or before its main function.
struct Seated {
  ThreadId thread{};
  std::string_view point;
  bool is_at_start = false;
  bool is_active = false;  ///< may apply an update
  Seat* seat = nullptr;
};

/// One update's wait.
struct PointWait {
  const void* owner = nullptr;
  std::vector<std::string> points;  ///< empty: any
  std::vector<ThreadId> threads;    ///< empty: every moult::Thread
  ThreadId driver{};                ///< the thread that applies the update; never wanted
  std::chrono::steady_clock::time_point good_until{};
  std::chrono::steady_clock::time_point words_due{};  ///< earliest time to name the missing threads, which is slow
  bool is_reached = false;
  bool is_expired = false;
};

class PointRegistry final {
 public:
  /// Throws std::bad_alloc.
  void begin(PointWait wait);
  /// Null when the owner has no wait.
  PointWait* find(const void* owner) noexcept;
  std::size_t count() const noexcept { return waits_.size(); }

  /// True: the thread has the seat. Throws std::bad_alloc.
  bool arrive(const Seated& arrival);
  /// Remembers a true result. Asking for an expired wait renews it.
  bool is_reached(PointWait& wait) noexcept;
  /// True when no wanted thread is left, and none was at a point: all have ended. Named threads stay wanted.
  bool is_deserted(const PointWait& wait) const noexcept { return !wait.is_reached && wanted_threads(wait).empty(); }
  /// True when there is a thread to wait for.
  bool means_anybody(const PointWait& wait) const noexcept;
  /// The wanted threads without a seat. Throws std::bad_alloc.
  std::vector<ThreadId> missing(const PointWait& wait) const;
  bool is_wanted_by(const PointWait& wait, const Seated& seated) const noexcept;

  /// A seat that the owner's wait wants, and whose thread may apply its update; null when there is none.
  Seat* active_seat(const void* owner) noexcept;

  /// Calls `release(seat)` for each thread that no wait wants any more.
  template <class Release>
  void end(const void* owner, Release&& release) {
    std::erase_if(waits_, [owner](const PointWait& wait) { return wait.owner == owner; });
    empty_seats(release);
  }
  /// The same for waits with `is_forgotten(wait)`. They stay in the registry for their owners to see.
  template <class IsForgotten, class Release>
  void expire(IsForgotten&& is_forgotten, Release&& release) {
    for (PointWait& wait : waits_)
      if (is_forgotten(wait)) wait.is_expired = true;
    empty_seats(release);
  }

  Seated* seat_of(ThreadId thread) noexcept;
  const std::vector<Seated>& seats() const noexcept { return seats_; }

  /// The running moult::Threads. Throws std::bad_alloc.
  void add_thread(ThreadId thread) { threads_.push_back(thread); }
  void remove_thread(ThreadId thread) noexcept { std::erase(threads_, thread); }
  const std::vector<ThreadId>& threads() const noexcept { return threads_; }

 private:
  bool is_own(ThreadId thread) const noexcept;
  bool is_anybody_waiting_for(const Seated& seated) const noexcept;
  bool is_there(const PointWait& wait, ThreadId thread) const noexcept;
  const std::vector<ThreadId>& wanted_threads(const PointWait& wait) const noexcept {
    return wait.threads.empty() ? threads_ : wait.threads;
  }
  template <class Release>
  void empty_seats(Release& release) {
    std::erase_if(seats_, [&](const Seated& seated) {
      if (is_anybody_waiting_for(seated)) return false;
      release(seated.seat);
      return true;
    });
  }

  std::vector<PointWait> waits_;
  std::vector<Seated> seats_;
  std::vector<ThreadId> threads_;
};

}  // namespace moult::internal
