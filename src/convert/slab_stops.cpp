// Problem: objects that may not be moved are converted at their own addresses, where every thread could see them half
// converted.
//
// Approach: a slab of such objects is converted while the program stands still, for as long as one slab takes. A thread
// that accesses a pending slab waits in the kernel (watch/fault_handler.cpp). The fault handler's thread puts the fault
// down here. This file's thread then stops the program, converts all slabs that threads wait for, and resumes the
// program. In the stop the pages of a slab return to their addresses. The evacuated copy remains until the conversion
// can no longer be undone.
//
// Every thread that waits must be dealt with:
// - A thread that waits at an instruction. The stop signal interrupts the wait, and the resumed thread repeats the
//   instruction and finds the page. Such a thread counts as stopped even inside stdio or the loader, because it cannot
//   leave them before it has its page. It cannot be in the allocator, which accesses no objects.
// - A thread that waits in a system call, where the kernel copies to or from an object. It cannot be stopped before the
//   copy is made. When all other threads stand still the slab is mapped for it, unconverted. The call completes with
//   the object as it was when the call began, and the thread stops as it leaves the kernel. The slab is converted only
//   then. If the stop fails, the slab is unmapped before any thread resumes.
// - A transformer that accesses another pending slab in the stop. The slab is mapped for it, unconverted, by a fault
//   handler's thread, and unmapped at the end with everything written to it. So transformers see pending objects as
//   they were, none waits for another, and a stop converts only the slabs that it is for.
// - The thread that has the program stopped for an update. Its slab is converted at once, in that stop.
// - A stop for an update may meet a thread that waits here inside stdio. It gives way to this file's stops
//   (threads/stopped_world.cpp), but not to the stops of a thread that drains, as no thread waits for those.
//
// While one conversion in place is unfinished, all conversions convert in place, from the next fault on. Otherwise a
// conversion beside the running program could wait for one in a stop, while the stop waits for the former to end.
//
// Threads:
// - add() is called by fault-handler threads, in service work. map() and unmap_all() are called in a stop, by the
//   stopping thread or by service work for it. The stopper calls is_awaited_by, map_for and unmap while other threads
//   stand anywhere. These neither allocate nor take a lock that a stopped thread can hold.
// - The mutex here is taken by service threads and by stopping threads only.
// - This file's thread is a service thread. It blocks in StoppedWorld::stop, for ten seconds at most, and in
//   transformers.
// - Fork: the child has no such thread. It forgets this object together with the fault handler.
//
// Limits: where the program cannot be stopped for ten seconds, the awaited slabs are mapped for good. Their objects
// stay as they are, and the log names them. A transformer that needs a lock of a stopped thread waits forever, as in
// any stop. That includes a stdio stream that a waiting thread has locked. Kernel workers (io_uring) are not stopped.
#include "convert/slab_stops.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "base/fault.hpp"
#include "base/own_thread.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/tasks.hpp"
#include "threads/service_threads.hpp"

namespace moult::internal {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_attempt{10'000};
constexpr milliseconds until_next_try{1};
constexpr std::size_t most_mapped = 1024;

}  // namespace

SlabStops::SlabStops(Userfaultfd& pages) : pages_(pages) { mapped_.reserve(most_mapped); }

void SlabStops::start() {
  MOULT_FAULT("convert.slab_stops.start");
  if (thread_.joinable()) return;
  announce_service_thread();
  thread_ = start_own_thread([this] {
    const ServiceThread here;
    is_ready_ = true;
    is_ready_.notify_all();
    run();
  });
  is_ready_.wait(false);  // a stop fails when it meets a thread that is not a service thread yet
}

void SlabStops::add(const MissingPage& missing, std::shared_ptr<SlabOwner> owner) {
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(waits_, [&](const Wait& each) { return each.missing.task == missing.task; });
    waits_.push_back({missing, std::move(owner)});
  }
  changed_.notify_one();
}

SlabStops::Waits SlabStops::all() const {
  const std::scoped_lock lock(mutex_);
  return waits_;
}

void SlabStops::remove(const Waits& served) noexcept {
  const auto is_served = [&](const Wait& each) {
    return std::any_of(served.begin(), served.end(), [&](const Wait& other) {
      return other.missing.task == each.missing.task && other.missing.page == each.missing.page;
    });
  };
  const std::scoped_lock lock(mutex_);
  std::erase_if(waits_, is_served);
}

/// The waiting threads access their pages again.
void SlabStops::wake(const Waits& served) noexcept {
  for (const Wait& each : served) {
    pages_.wake(each.missing.page, page_size());
    each.owner->report();
  }
}

std::optional<SlabStops::Wait> SlabStops::wait_of(pid_t task) const noexcept {
  const std::scoped_lock lock(mutex_);
  auto found = std::find_if(waits_.begin(), waits_.end(), [=](const Wait& each) { return each.missing.task == task; });
  if (found == waits_.end()) return std::nullopt;
  return *found;
}

bool SlabStops::is_awaited_by(pid_t task) const noexcept { return wait_of(task).has_value(); }

void SlabStops::map_for(pid_t task) noexcept {
  const std::optional<Wait> wait = wait_of(task);
  if (!wait) return;
  wait->owner->map_at(wait->missing.page);
  pages_.wake(wait->missing.page, page_size());
}

bool SlabStops::map(EvacuatedRegion& region, std::uint32_t slab) noexcept {
  if (mapped_.size() == mapped_.capacity()) return false;
  const auto is_it = [&](const Mapped& each) { return each.region == &region && each.slab == slab; };
  if (std::none_of(mapped_.begin(), mapped_.end(), is_it)) mapped_.push_back({&region, slab});
  region.map(slab, pages_);
  return true;
}

void SlabStops::unmap_all() noexcept {
  for (const Mapped& each : mapped_) each.region->unmap(each.slab);
  mapped_.clear();
}

void SlabStops::run() {
  name_this_thread("moult slabs");
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !waits_.empty(); });
    }
    serve_or_give_up();
  }
}

void SlabStops::serve_or_give_up() noexcept {
  try {
    return in_stop(longest_attempt, [] {});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::thread_unstoppable) return give_up();
  } catch (const std::exception&) {  // no memory
  }
  std::this_thread::sleep_for(until_next_try);
}

void SlabStops::in_stop(milliseconds timeout, const std::function<void()>& act) {
  Waits served;
  {
    const std::unique_ptr<StoppedWorld> stopped =
        StoppedWorld::stop({.timeout = timeout, .keep_out = {}, .memory = this});
    MOULT_FAULT("convert.slab_stops.stop");
    served = all();
    for (const Wait& each : served) each.owner->convert_at(each.missing.page);
    act();
    remove(served);  // in the stop: outside of it, a draining thread of the program may be stopped with the lock
  }
  wake(served);
}

/// The waiting threads go on with unconverted objects.
void SlabStops::give_up() noexcept {
  try {
    const Waits left = all();
    for (const Wait& each : left) {
      const ServiceWork work(each.missing.task);
      each.owner->leave_at(each.missing.page, "the program could not be stopped to convert it");
    }
    remove(left);
    wake(left);
  } catch (const std::bad_alloc&) {  // the next attempt follows
  }
}

}  // namespace moult::internal
