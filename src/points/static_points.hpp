// Threads that stay at static update points: what other mechanisms do with them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/guarded.hpp"
#include "moult/static_points.hpp"
#include "moult/thread.hpp"
#include "points/point_registry.hpp"

namespace moult::internal {

/// Where the thread stays: the name of its static update point. Nothing when it runs.
std::optional<std::string> point_of(ThreadId thread);

/// When the thread is let go, it calls `departure()` at its point, in its own context, instead of going on behind it.
/// The departure may leave by unwinding: moult holds nothing then, and lets it through. Replaces an earlier one. Usable
/// in a stopped program. Throws Error (not_found) when the thread stays at no point.
void set_pending_exit(ThreadId thread, std::function<void()> exit);
/// Takes it back, for undo. Nothing when there is none.
void clear_pending_exit(ThreadId thread) noexcept;

/// A child of fork begins with an empty board. Throws std::bad_alloc.
void be_ready_for_fork();

/// For moult::Thread. The calling thread begins: from here on it is waited for where no threads are named. It stays
/// here for as long as such a wait has been reached already. `publish()` is called before that. Throws std::bad_alloc.
void begin_thread(ThreadRole role, const std::function<void()>& publish);
/// It ends: it is not waited for any more.
void end_thread() noexcept;

/// The one board of the process.
Guarded<PointRegistry>& point_registry();
/// From now on threads look at the board. Throws Error (invalid_argument) when the owner has a wait there already, and
/// not_found when nobody is meant.
void begin_wait(PointWait wait);
/// Takes the owner's wait off and lets go who stays for it alone. Nothing when there is none.
void end_wait(const void* owner) noexcept;
/// Calls `steps()` in an active thread that stays for the owner's wait, or else in this one, and throws what it threw.
void work_at_point(const void* owner, const std::function<void()>& steps);

}  // namespace moult::internal
