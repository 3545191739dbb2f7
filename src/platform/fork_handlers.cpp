#include "platform/fork_handlers.hpp"

#include <pthread.h>

#include <algorithm>
#include <new>

namespace moult::internal {
namespace {

constinit ForkOrder fork_order;

void call(const std::atomic<void (*)()>& handler) {
  if (void (*const function)() = handler.load()) function();
}

}  // namespace

void ForkOrder::add(ForkPlace place, const ForkHandlers& handlers) noexcept {
  Place& added = places_[static_cast<std::size_t>(place)];
  added.before = handlers.before;
  added.in_parent = handlers.in_parent;
  added.in_child = handlers.in_child;
}

void ForkOrder::before() const {
  std::for_each(places_.rbegin(), places_.rend(), [](const Place& place) { call(place.before); });
}

void ForkOrder::in_parent() const {
  for (const Place& place : places_) call(place.in_parent);
}

void ForkOrder::in_child() const {
  for (const Place& place : places_) call(place.in_child);
}

void register_fork_handlers(ForkPlace place, ForkHandlers handlers) {
  [[maybe_unused]] static const bool is_registered = [] {
    if (::pthread_atfork([] { fork_order.before(); }, [] { fork_order.in_parent(); }, [] { fork_order.in_child(); }) !=
        0)
      throw std::bad_alloc();  // the next call tries again
    return true;
  }();
  fork_order.add(place, handlers);
}

}  // namespace moult::internal
