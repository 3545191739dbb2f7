// Which updates wait for threads to reach static update points, and which threads have.
//
// The board is plain data, used under one lock (static_points.cpp); each of its calls is one step of the protocol, and
// tests/unit/alterability/point_board_test.cpp goes through all orders in which the steps can happen.
//
// Who may do what:
//   manager   begin      the wait is on the board; from now on threads that it wants stay
//   thread    arrive     wanted: takes a seat on the board and sleeps until the seat's word is `called` or `released`
//                        not wanted: passes
//   manager   active     picks a seat of its wait whose thread is to carry the update out; its word becomes `called`
//   thread    work       does, and makes the word `waiting` again unless it was released meanwhile
//   manager   is_reached all that it wants have seats; from then on it cannot become untrue, since only `end` and
//                        `expire` empty seats, and new moult::Threads take one before they begin
//   manager   is_deserted  whoever was wanted has ended before it had a seat: the update fails, and ends its wait
//   manager   end        takes the wait off, and every seat that no other wait wants off: their words become `released`
//   thread    expire     the same for waits that their managers have forgotten
//
// A seat is on its thread's stack. It is taken off the board first and released as the last thing done to it, both
// under the lock: a thread is either seen by `end` or does not see the wait. So none sleeps on, and none is woken
// twice.
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

/// What a seat's word says to its thread.
enum class SeatWord : std::uint32_t { waiting, called, released };

/// The word after the thread has done its work: it may have been released by what it did.
constexpr SeatWord after_work(SeatWord found) noexcept { return found == SeatWord::called ? SeatWord::waiting : found; }

/// A thread that stays at a point, or before its main function.
struct Seated {
  ThreadId thread{};
  std::string_view point;
  bool is_at_start = false;
  bool is_active = false;  ///< may carry an update out
  Seat* seat = nullptr;
};

/// One update's wait.
struct PointWait {
  const void* owner = nullptr;
  std::vector<std::string> points;  ///< any when empty
  std::vector<ThreadId> threads;    ///< every moult::Thread when empty
  ThreadId driver{};                ///< carries the update out: is never meant
  std::chrono::steady_clock::time_point good_until{};
  std::chrono::steady_clock::time_point words_due{};  ///< not before is it told who is missing, which takes time
  bool is_reached = false;
  bool is_expired = false;
};

class PointRegistry final {
 public:
  /// Throws std::bad_alloc.
  void begin(PointWait wait);
  /// Null when the owner has none.
  PointWait* find(const void* owner) noexcept;
  std::size_t count() const noexcept { return waits_.size(); }

  /// True: it was given the seat. Throws std::bad_alloc.
  bool arrive(const Seated& arrival);
  /// Remembers that it was, and that an expired wait is asked for again.
  bool is_reached(PointWait& wait) noexcept;
  /// No thread is left that it waits for, and none was at a point: all have ended. Those that were named stay in any
  /// case.
  bool is_deserted(const PointWait& wait) const noexcept { return !wait.is_reached && wanted_threads(wait).empty(); }
  /// Whether there is any thread to wait for.
  bool means_anybody(const PointWait& wait) const noexcept;
  /// Who is not there yet. Throws std::bad_alloc.
  std::vector<ThreadId> missing(const PointWait& wait) const;
  bool is_wanted_by(const PointWait& wait, const Seated& seated) const noexcept;

  /// A seat that the owner's wait wants, whose thread may carry its update out; null when there is none.
  Seat* active_seat(const void* owner) noexcept;

  /// Calls `let_go(seat)` for each thread that nobody wants any more.
  template <class LetGo>
  void end(const void* owner, LetGo&& let_go) {
    std::erase_if(waits_, [owner](const PointWait& wait) { return wait.owner == owner; });
    empty_seats(let_go);
  }
  /// The same for waits of which `is_forgotten(wait)` holds; they stay on the board for their owners to see.
  template <class IsForgotten, class LetGo>
  void expire(IsForgotten&& is_forgotten, LetGo&& let_go) {
    for (PointWait& wait : waits_)
      if (is_forgotten(wait)) wait.is_expired = true;
    empty_seats(let_go);
  }

  Seated* seat_of(ThreadId thread) noexcept;
  const std::vector<Seated>& seats() const noexcept { return seats_; }

  /// The moult::Threads that run. Throws std::bad_alloc.
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
  template <class LetGo>
  void empty_seats(LetGo& let_go) {
    std::erase_if(seats_, [&](const Seated& seated) {
      if (is_anybody_waiting_for(seated)) return false;
      let_go(seated.seat);
      return true;
    });
  }

  std::vector<PointWait> waits_;
  std::vector<Seated> seats_;
  std::vector<ThreadId> threads_;
};

}  // namespace moult::internal
