// Static update points: places that the program's author chose for threads to be changed at.
//
//   void serve() {
//     for (;;) {
//       moult::static_update_point("between requests");   // in the program
//       handle(next_request());
//     }
//   }
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "moult/detail/abi.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

namespace detail::inline MOULT_ABI_NAMESPACE {
/// The number of updates that wait for threads to reach a point.
extern std::atomic<std::uint32_t> static_point_waits;
void stop_at_static_point(std::string_view name);
}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// A place where the calling thread can stand a change of the program, such as between two rounds of its loop. If an
/// update waits for this thread, the thread stays here until the program goes on after the update, or the update gives
/// up. Otherwise it goes on at once; the cost is one relaxed load and a branch that is not taken.
///
/// Any thread may call it: a moult::Thread, a std::thread, a POSIX thread, or the thread of main. While the thread
/// stays, it keeps what it holds, such as a mutex: hold nothing that another thread needs to reach its own point.
///
/// Updates select points by `name`; several places may share a name. An update may make the thread leave functions from
/// here: the call is then left by unwinding, as by an exception. So do not call it in a noexcept function, in a
/// destructor, or in a signal handler. In code that an update runs itself it does nothing.
///
/// After Pymoult's staticUpdatePoint, and the update points of Ginseng (Neamtiu and others, PLDI 2006).
[[gnu::always_inline]] inline void static_update_point(std::string_view name) {
  if (detail::static_point_waits.load(std::memory_order_relaxed) != 0) [[unlikely]]
    detail::stop_at_static_point(name);
}

/// The threads to wait for, and the points to wait at.
struct StaticPoints {
  /// A thread waits at the first of these points that it reaches; empty: at any static update point.
  std::vector<std::string> names{};
  /// The threads that must reach a point; an update passes its own threads(). Empty: every moult::Thread that runs, or
  /// starts before all of them have reached one. Threads that start later wait before their main function. Other
  /// threads pass the points without waiting.
  std::vector<ThreadId> threads{};
};

/// From now on the threads concerned stay at the named points. They are released in every case: when the program goes
/// on after this update's apply, when the update is postponed, fails or is aborted, and by clean_failed_static_points.
/// A thread that calls an inline manager is not waited for meanwhile.
///
/// Only from a step of an update (preupdate_setup), once in an attempt.
///
/// not_found: a named thread has ended; or none is named, and there is no moult::Thread
/// invalid_argument: the calling thread is named, or this update waits already
void setup_wait_static_points(const StaticPoints& points);

/// Waits until every thread concerned stays at its point, for max_tries * sleep_time for all of them together. On false
/// the update's reason names each missing thread, the points it did not reach, and its calls in progress. Meanwhile
/// threads at their points stay there, and the others run until the update's pause. If no threads were named, a
/// moult::Thread that ends is not waited for any more.
///
/// not_found: a named thread has ended; or every moult::Thread has ended before one was at a point (the point's
///   name may be misspelt)
/// invalid_argument: without setup_wait_static_points
bool wait_static_points_reached(const Patience& patience = {});

/// The same without waiting, for inline managers. If it is not called for max_tries * sleep_time, because the program
/// has stopped calling its manager, the threads release themselves; the next call makes them stay again.
bool check_static_points_reached(const Patience& patience = {});

/// Releases the threads that stay for this update, for clean_failed_alterability. Does nothing when there is none.
void clean_failed_static_points() noexcept;

}  // namespace moult
#pragma GCC visibility pop
