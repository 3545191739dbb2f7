// What happens at fork, in order.
//
// Why: a child of fork has one thread and a copy of the parent's memory. Locks that other threads held stay locked
// there, and moult's own threads are gone, so several parts of moult have work to do around each fork. Some of it
// depends on other work being done first.
//
// How: every part registers its functions under its place in ForkPlace, and one pthread_atfork registration calls them.
// Before the fork the places are called from the last to the first; afterwards, in the parent and in the child, from
// the first to the last. When a part registers makes no difference.
//
// Limits: the program's own pthread_atfork handlers are called either outside or inside of all of moult's. That depends
// on whether they were registered before or after moult's first place.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace moult::internal {

/// In the order in which they are called after a fork.
enum class ForkPlace : std::size_t {
  stop_mutex,        ///< child: a stop of the parent's is not in progress here
  fault_handler,     ///< before: all lazy conversions are completed; child: its threads are gone
  accesses,          ///< before: progressive accesses are given up; child: their threads are gone
  static_points,     ///< child: no thread stays at a point and no update waits for one
  threads,           ///< child: the forking moult::Thread is known at the points again, so it comes after these
  progress_page,     ///< child: the page belongs to the parent
  alternate_stacks,  ///< child: of the noted threads only the forking one is there
};
inline constexpr std::size_t fork_place_count = 7;

/// One place's functions; null where the place has nothing to do. In the child they must not wait for other threads.
struct ForkHandlers {
  void (*before)() = nullptr;
  void (*in_parent)() = nullptr;
  void (*in_child)() = nullptr;
};

/// The functions of every place. Async-safe at any time: a thread may fork while another one adds a place.
class ForkOrder final {
 public:
  void add(ForkPlace place, const ForkHandlers& handlers) noexcept;
  void before() const;
  void in_parent() const;
  void in_child() const;

 private:
  struct Place {
    std::atomic<void (*)()> before{nullptr};
    std::atomic<void (*)()> in_parent{nullptr};
    std::atomic<void (*)()> in_child{nullptr};
  };
  std::array<Place, fork_place_count> places_;
};

/// From now on `handlers` are called at every fork of this process. May be repeated with the same handlers. Throws
/// std::bad_alloc.
void register_fork_handlers(ForkPlace place, ForkHandlers handlers);

}  // namespace moult::internal
