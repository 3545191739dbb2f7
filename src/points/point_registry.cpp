#include "points/point_registry.hpp"

#include <utility>

namespace moult::internal {
namespace {

template <class Range, class Value>
bool contains(const Range& range, const Value& value) noexcept {
  return std::find(range.begin(), range.end(), value) != range.end();
}

}  // namespace

void PointRegistry::begin(PointWait wait) { waits_.push_back(std::move(wait)); }

PointWait* PointRegistry::find(const void* owner) noexcept {
  auto found = std::find_if(waits_.begin(), waits_.end(), [owner](const PointWait& w) { return w.owner == owner; });
  return found == waits_.end() ? nullptr : &*found;
}

bool PointRegistry::is_own(ThreadId thread) const noexcept { return contains(threads_, thread); }

bool PointRegistry::is_wanted_by(const PointWait& wait, const Seated& seated) const noexcept {
  if (wait.is_expired || seated.thread == wait.driver) return false;
  if (seated.is_at_start) return wait.threads.empty() && wait.is_reached;
  const bool is_meant = wait.threads.empty() ? is_own(seated.thread) : contains(wait.threads, seated.thread);
  return is_meant && (wait.points.empty() || contains(wait.points, seated.point));
}

bool PointRegistry::is_anybody_waiting_for(const Seated& seated) const noexcept {
  return std::any_of(waits_.begin(), waits_.end(), [&](const PointWait& wait) { return is_wanted_by(wait, seated); });
}

bool PointRegistry::arrive(const Seated& arrival) {
  if (!is_anybody_waiting_for(arrival)) return false;
  seats_.push_back(arrival);
  return true;
}

bool PointRegistry::is_there(const PointWait& wait, ThreadId thread) const noexcept {
  return std::any_of(seats_.begin(), seats_.end(),
                     [&](const Seated& seated) { return seated.thread == thread && is_wanted_by(wait, seated); });
}

bool PointRegistry::is_reached(PointWait& wait) noexcept {
  if (std::exchange(wait.is_expired, false)) wait.is_reached = false;
  const std::vector<ThreadId>& wanted = wanted_threads(wait);
  wait.is_reached =
      wait.is_reached || (!wanted.empty() && std::all_of(wanted.begin(), wanted.end(), [&](ThreadId thread) {
        return thread == wait.driver || is_there(wait, thread);
      }));
  return wait.is_reached;
}

bool PointRegistry::means_anybody(const PointWait& wait) const noexcept {
  const std::vector<ThreadId>& wanted = wanted_threads(wait);
  return std::any_of(wanted.begin(), wanted.end(), [&](ThreadId thread) { return thread != wait.driver; });
}

std::vector<ThreadId> PointRegistry::missing(const PointWait& wait) const {
  std::vector<ThreadId> found;
  for (ThreadId thread : wanted_threads(wait))
    if (thread != wait.driver && !is_there(wait, thread)) found.push_back(thread);
  return found;
}

Seat* PointRegistry::active_seat(const void* owner) noexcept {
  const PointWait* wait = find(owner);
  if (wait == nullptr) return nullptr;
  auto found = std::find_if(seats_.begin(), seats_.end(), [&](const Seated& seated) {
    return seated.is_active && !seated.is_at_start && is_wanted_by(*wait, seated);
  });
  return found == seats_.end() ? nullptr : found->seat;
}

Seated* PointRegistry::seat_of(ThreadId thread) noexcept {
  auto found = std::find_if(seats_.begin(), seats_.end(), [thread](const Seated& s) { return s.thread == thread; });
  return found == seats_.end() ? nullptr : &*found;
}

}  // namespace moult::internal
