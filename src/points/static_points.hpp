// Threads at static update points, as other mechanisms use them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/guarded.hpp"
#include "moult/static_points.hpp"
#include "moult/thread.hpp"
#include "points/point_registry.hpp"

namespace moult::internal {

/// The name of the static update point where the thread stays; nothing when it runs.
std::optional<std::string> point_of(ThreadId thread);

/// When the thread is released, it calls `exit()` at its point, in its own context, instead of continuing. `exit` may
/// leave by unwinding: moult holds nothing then, and lets it pass. Replaces an earlier one. Usable in a stopped
/// program. Throws Error (not_found) when the thread stays at no point.
void set_pending_exit(ThreadId thread, std::function<void()> exit);
/// Removes the pending exit, for undo. Does nothing when there is none.
void clear_pending_exit(ThreadId thread) noexcept;

/// Gives a child of fork an empty registry. Throws std::bad_alloc.
void be_ready_for_fork();

/// For moult::Thread, in the new thread: registers it for waits that name no threads, and calls `publish()`. If such a
/// wait has been reached already, the thread stays here until that wait ends. Throws std::bad_alloc.
void begin_thread(ThreadRole role, const std::function<void()>& publish);
/// Removes the thread: waits do not want it any more.
void end_thread() noexcept;

/// The registry of the process.
Guarded<PointRegistry>& point_registry();
/// From now on threads look into the registry. Throws Error: invalid_argument when the owner has a wait already,
/// not_found when no thread is wanted.
void begin_wait(PointWait wait);
/// Removes the owner's wait, and releases the threads that only it wanted. Does nothing when there is none.
void end_wait(const void* owner) noexcept;
/// Calls `steps()` in an active thread that stays for the owner's wait, or else in this one, and throws what it threw.
void work_at_point(const void* owner, const std::function<void()>& steps);

}  // namespace moult::internal
