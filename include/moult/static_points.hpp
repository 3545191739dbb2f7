// Static update points: places that the program itself chose to be changed at.
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
/// How many updates wait for threads to reach a point.
extern std::atomic<std::uint32_t> static_point_waits;
void stop_at_static_point(std::string_view name);
}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// A place where the calling thread can stand a change of the program: between two rounds of its loop, say. When an
/// update waits for this thread to come by, the thread stays here until the program goes on after the update, or the
/// update gave up; otherwise it goes on at once, for the price of one relaxed load and a branch that is never taken.
/// Any thread may call it: a moult::Thread, a std::thread, a POSIX thread, the one that runs the program's main.
/// What the thread holds here (a mutex, say) it holds for as long as it stays: hold nothing that another thread needs
/// to come to its own point.
///
/// `name` is for updates to choose by; several places may have the same one. An update may restart the thread or
/// leave functions at this place: then it is left by unwinding, as by an exception. So do not call it in a function
/// that is noexcept, in a destructor, or in a signal handler. In code that an update runs itself it does nothing. After
/// Pymoult's staticUpdatePoint, and the update points of Ginseng (Neamtiu and others, PLDI 2006).
[[gnu::always_inline]] inline void static_update_point(std::string_view name) {
  if (detail::static_point_waits.load(std::memory_order_relaxed) != 0) [[unlikely]]
    detail::stop_at_static_point(name);
}

/// Which threads are to wait where.
struct StaticPoints {
  /// A thread waits at the first of these that it comes to; none named: at any static update point.
  std::vector<std::string> names{};
  /// Who must reach one; an update passes its own threads(). None named: every moult::Thread that runs, or begins to
  /// run before all of them have reached one; those that begin later wait before their main function. Threads that are
  /// not meant pass the points as if nobody waited.
  std::vector<ThreadId> threads{};
};

/// From now on the threads that are meant stay at the points that are named. They are let go, whatever happens, when
/// the program goes on after this update's apply, when the update is postponed, fails or is aborted, or by
/// clean_failed_static_points. A thread that calls an inline manager itself is not waited for while it does so.
///
/// Only from a step of an update (preupdate_setup), once in an attempt. Throws Error: not_found when a thread that is
/// named is gone, or when none is named and there is no moult::Thread; invalid_argument when the calling thread is
/// named, or this update waits already.
void setup_wait_static_points(const StaticPoints& points);

/// Waits until every thread that is meant stays at its point, for max_tries * sleep_time for all of them together. On
/// false the update's reason names each thread that is missing, the points that it did not reach, and the calls it is
/// in. The program runs: what is at its point stays there, the rest goes on until the update's pause. A moult::Thread
/// that ends is not waited for any more, where none was named. Throws Error: not_found when a thread that was named has
/// ended, or when every moult::Thread has and none was at a point (whose name may be misspelt); invalid_argument
/// without setup_wait_static_points.
bool wait_static_points_reached(const Patience& patience = {});

/// The same without waiting, for inline managers. When nobody asks for max_tries * sleep_time, since the owner of the
/// manager has forgotten it, the threads go on by themselves; the next call has them stop anew.
bool check_static_points_reached(const Patience& patience = {});

/// Lets the threads go on that wait for this update: for clean_failed_alterability. Nothing when none does.
void clean_failed_static_points() noexcept;

}  // namespace moult
#pragma GCC visibility pop
