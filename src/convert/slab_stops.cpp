// Why: objects that may not be moved are converted where they are, and there every thread could see them half done. So
// a chunk of them is converted while the program stands still, for as long as one chunk takes.
//
// How. Whoever touches a chunk that waits, waits in the kernel, as everywhere (page_server.hpp). The page server puts
// the touch down here, and a thread of its own stops the program, converts all chunks that are waited for by then, and
// lets it go on. In the stop the pages of a chunk are put back to their place, from where they were moved aside to;
// what lies aside is the way back until it is certain that nothing is undone.
//
// Who waits where, and what becomes of it:
// - A thread that touched the page itself waits at an instruction. The signal that stops threads breaks that off, and
//   when it goes on the instruction is repeated, which finds the page. Such a thread counts as stopped even in calls of
//   stdio or the loader: it cannot be led out of them before it has its page. It cannot be in the allocator, which
//   touches no objects.
// - One that waits in a system call, for the kernel to copy something to or from an object, cannot be stopped at all
//   before the copy is made. When all others stand it is shown the chunk as it is, unconverted: the call comes to its
//   end, with the object that the program had when the call was made, and the thread stops as it leaves the kernel.
//   Only then the chunk is converted. Before any thread may go on, should the stop not come about, the chunk is hidden
//   again.
// - A transformer that touches another chunk, in the stop: it is lent that chunk, unconverted, by the page server. As
//   everybody else stands nobody can tell; at the end it is hidden again, with whatever was written to it. So
//   transformers see objects that wait as they were, none waits for another, and one stop converts no more than was
//   asked for.
// - Whoever has the program stopped for an update and touches a chunk: it is converted at once, in that stop.
// - A stop for an update that meets a thread which waits here inside stdio gives way to ours (stopped_world.cpp). It
// need
//   not give way to those of somebody who drains, for whom nobody waits.
//
// While there are objects to be converted in place, those that may be moved are converted so as well, from the next
// touch on: a conversion beside the running program that waits for one in a stop, which waits for the former to end,
// does not exist then.
//
// Where the program cannot be stopped for long the chunk is shown as it is for good. Its objects stay what they are and
// are named in the log.
//
// Limits: a transformer that needs a lock which a stopped thread holds waits for ever, as it does in any stop; that
// goes for a stream of stdio, too, whose lock a waiting thread holds. Workers of the kernel (io_uring) are not stopped.
#include "convert/slab_stops.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "base/fault.hpp"
#include "convert/evacuated_region.hpp"
#include "convert/lazy_conversion.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/tasks.hpp"
#include "threads/service_threads.hpp"

namespace moult::internal {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_attempt{10'000};
constexpr milliseconds until_next_try{1};
constexpr std::size_t most_shown = 1024;

}  // namespace

SlabStops::SlabStops(Userfaultfd& pages) : pages_(pages) { shown_.reserve(most_shown); }

void SlabStops::start() {
  MOULT_FAULT("convert.slab_stops.start");
  if (thread_.joinable()) return;
  thread_ = std::jthread([this] {
    const ServiceThread here;
    is_ready_ = true;
    is_ready_.notify_all();
    run();
  });
  is_ready_.wait(false);  // a stop that met one which has not begun yet would fail
}

void SlabStops::add(const MissingPage& missing, std::shared_ptr<LazyConversion> conversion) {
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(touches_, [&](const Touch& each) { return each.missing.task == missing.task; });
    touches_.push_back({missing, std::move(conversion)});
  }
  changed_.notify_one();
}

SlabStops::Touches SlabStops::all() const {
  const std::scoped_lock lock(mutex_);
  return touches_;
}

void SlabStops::remove(const Touches& served) noexcept {
  const auto is_served = [&](const Touch& each) {
    return std::any_of(served.begin(), served.end(), [&](const Touch& other) {
      return other.missing.task == each.missing.task && other.missing.page == each.missing.page;
    });
  };
  const std::scoped_lock lock(mutex_);
  std::erase_if(touches_, is_served);
}

/// Those who wait there touch the page again.
void SlabStops::wake(const Touches& served) noexcept {
  for (const Touch& each : served) {
    pages_.wake(each.missing.page, page_size());
    each.conversion->tell();
  }
}

std::optional<SlabStops::Touch> SlabStops::touch_of(pid_t task) const noexcept {
  const std::scoped_lock lock(mutex_);
  auto found =
      std::find_if(touches_.begin(), touches_.end(), [=](const Touch& each) { return each.missing.task == task; });
  if (found == touches_.end()) return std::nullopt;
  return *found;
}

bool SlabStops::is_awaited_by(pid_t task) const noexcept { return touch_of(task).has_value(); }

void SlabStops::map_for(pid_t task) noexcept {
  const std::optional<Touch> touch = touch_of(task);
  if (!touch) return;
  touch->conversion->show_at(touch->missing.page);
  pages_.wake(touch->missing.page, page_size());
}

void SlabStops::unmap() noexcept { hide_shown(); }

bool SlabStops::show(EvacuatedRegion& region, std::uint32_t slab) noexcept {
  if (shown_.size() == shown_.capacity()) return false;
  const auto is_it = [&](const Shown& each) { return each.region == &region && each.slab == slab; };
  if (std::none_of(shown_.begin(), shown_.end(), is_it)) shown_.push_back({&region, slab});
  region.show(slab, pages_);
  return true;
}

void SlabStops::hide_shown() noexcept {
  for (const Shown& each : shown_) each.region->hide(each.slab);
  shown_.clear();
}

void SlabStops::run() {
  name_this_thread("moult chunks");
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !touches_.empty(); });
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
  Touches served;
  {
    const std::unique_ptr<StoppedWorld> stopped =
        StoppedWorld::stop({.timeout = timeout, .keep_out = {}, .memory = this});
    MOULT_FAULT("convert.slab_stops.stop");
    served = all();
    for (const Touch& each : served) each.conversion->convert_at(each.missing.page);
    act();
    remove(served);  // in the stop: elsewhere a program's own thread might be stopped with the lock
  }
  wake(served);
}

/// Whoever waits goes on with objects that are not converted.
void SlabStops::give_up() noexcept {
  try {
    const Touches left = all();
    for (const Touch& each : left) {
      const ServiceWork work(each.missing.task);
      each.conversion->leave_at(each.missing.page, "the program could not be stopped to convert it");
    }
    remove(left);
    wake(left);
  } catch (const std::bad_alloc&) {  // the next try is to be made
  }
}

}  // namespace moult::internal
