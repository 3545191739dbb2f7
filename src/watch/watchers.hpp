// What the servers of watched memory have in common: those on whose behalf memory is watched, and that there is one
// server of a kind in the process.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "platform/fork_handlers.hpp"

namespace moult::internal {

/// A thread that must go on pauses so long after an allocation failed, then tries again.
inline constexpr std::chrono::milliseconds until_there_is_memory{1};

/// Those who are asked when memory of theirs is touched, which they tell by `contains`.
template <class Watcher>
class Watchers final {
 public:
  /// Throws std::bad_alloc.
  void add(std::shared_ptr<Watcher> watcher) { all_.push_back(std::move(watcher)); }

  /// Takes it out, to be destroyed where no lock is held; null when it is not there.
  std::shared_ptr<Watcher> take(const Watcher& watcher) noexcept {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& each) { return each.get() == &watcher; });
    if (found == all_.end()) return nullptr;
    std::shared_ptr<Watcher> taken = std::move(*found);
    all_.erase(found);
    return taken;
  }

  /// Null when nobody watches there.
  std::shared_ptr<Watcher> at(const std::byte* page) const {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [page](const auto& each) { return each->contains(page); });
    return found == all_.end() ? nullptr : *found;
  }

  const std::vector<std::shared_ptr<Watcher>>& all() const noexcept { return all_; }

 private:
  std::vector<std::shared_ptr<Watcher>> all_;
};

/// The one server of the class in the process. A child of fork begins without one.
template <class Server>
class OneServer final {
 public:
  /// Makes it with `make()` where there is none, and calls `start(server)` each time. `at_fork` is called around
  /// every fork from then on. Throws what these throw, and std::bad_alloc.
  template <class Make, class Start>
  static std::shared_ptr<Server> get(ForkPlace fork_place, ForkHandlers at_fork, Make&& make, Start&& start) {
    return place().with([&](std::shared_ptr<Server>& server) {
      register_fork_handlers(fork_place, at_fork);
      if (server == nullptr) server.reset(make());
      start(*server);
      return server;
    });
  }

  /// Null when none was made.
  static std::shared_ptr<Server> if_made() {
    return place().with([](const auto& made) { return made; });
  }

  /// In a child, where another thread may have held the lock, and the allocator's: nothing is allocated.
  static void forget() noexcept { new (&place()) Place; }

 private:
  using Place = Guarded<std::shared_ptr<Server>>;

  /// Never destroyed: threads ask for it until the process ends.
  static Place& place() {
    static Place& made = *new Place;
    return made;
  }
};

}  // namespace moult::internal
