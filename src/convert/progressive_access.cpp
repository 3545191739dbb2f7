// Why: work on all objects of a class can be spread over the time in which the program comes to them, and then somebody
// has to know when it comes to one.
//
// How: as in conversion at first use (lazy_conversion.cpp) the pages of all slots are moved aside in a stop, and the
// holes are watched. But nothing is changed there: when a chunk is touched its pages are brought back as they were, at
// their own addresses, and its objects are told of. A slot in a chunk that is hidden is neither born nor dies, so what
// is told of are exactly the objects that lived in the stop.
//
// Told of in one of two ways. Without a visitor they are put into a list, from which they are taken by whoever wants
// them, and the access goes on at once. With one the chunk is only marked; a thread stops the program, brings the pages
// back, and runs the visitor: nobody else can come by the objects before, whichever thread and however many touched
// them. The visitor has the stop in its transaction, so that what it calls of moult belongs to that stop.
//
// Who may do what. Only who made a chunk busy brings it back, and whoever does that in the running program keeps a stop
// away, lest the stopper wait for it: the reader of touches is not stopped, others hold it off as a lock of moult does.
// The list of accessed objects has no other lock taken under its own.
//
// Limits: what is touched where no stop can be waited for is brought back first and visited later; the public header
// says when. An object of another class is never visited in its place: what a slot holds is looked at again.
#include "convert/progressive_access.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "base/address.hpp"
#include "base/event.hpp"
#include "base/fault.hpp"
#include "base/transaction.hpp"
#include "convert/unfinished.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/tasks.hpp"
#include "pools/class_pools.hpp"
#include "threads/current_stop.hpp"
#include "threads/service_threads.hpp"
#include "threads/stop_mutex.hpp"

namespace moult::internal {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// So long the program stands still for visits at a time.
constexpr microseconds longest_visit{1000};

void let_others_stop() noexcept {
  if (internal::current_stop() == nullptr) let_stop_pass();
}

/// Nobody can be stopped who waits for memory in a system call, and whoever has stopped the program is in the way of
/// another stop.
bool cannot_wait(pid_t task) noexcept { return is_served_in_stop(task) || blocked_call(task).number >= 0; }

/// Whether it is there, and is what it was when it was found.
bool is_still(const AccessedObjects::Found& found) noexcept {
  const std::optional<Portion> portion = found.source->pool->portion_of(*found.source->held);
  return portion && find_live(*found.source->pool, *portion, *internal::current_stop(), found.slot).has_value();
}

/// Of the throw that is the `count`th. What goes wrong with every object must not drown everything else in the log.
void warn_of_throw(std::size_t count, const ObjectClass& type, const void* object, const char* reason) noexcept try {
  constexpr std::size_t most_named = 8;
  if (count > most_named && !std::has_single_bit(count)) return;
  Event event;
  event.kind = EventKind::warning;
  event.text = "the visit of the object of " + type.readable + " at " +
               hex_text(reinterpret_cast<std::uintptr_t>(object)) + " threw: " + reason;
  if (count > most_named)
    event.text += " (" + std::to_string(count) + " visits threw so far, most of which are not named)";
  event_log().publish(std::move(event));
} catch (const std::exception&) {  // it stays unreported
}

/// Calls `act(stopped)` in a stop that what it calls belongs to.
template <class Act>
void in_own_stop(milliseconds timeout, Act&& act) {
  Transaction transaction;
  const Transaction::Scope scope(transaction);
  transaction.hold(StoppedWorld::stop({.timeout = timeout, .keep_out = {}}));
  std::exception_ptr thrown;
  try {
    act(*internal::current_stop());
  } catch (...) {
    thrown = std::current_exception();
  }
  transaction.resume();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace

ProgressiveAccess::ProgressiveAccess(const ObjectClass& wanted, const Enumeration& options, Visit visit)
    : server_(AccessServer::get()), wanted_(wanted), options_(options), has_visitor_(visit.call != nullptr),
      visit_(std::move(visit)) {}

void ProgressiveAccess::reserve() {
  MOULT_FAULT("convert.access.reserve");
  std::size_t objects = 0;
  std::vector<const Pool*> pools;
  for (const Source& source : sources_of(wanted_, options_.subclasses)) {
    finish_lazy_conversions(*source.held);
    objects += count_live(*source.pool, source.portion);
    if (std::find(pools.begin(), pools.end(), source.pool) != pools.end()) continue;
    pools.push_back(source.pool);
    regions_.reserve(*source.pool);
  }
  objects_ = objects;
}

/// Two that watch the same memory, or one that watches what is being converted, would not know whose turn it is.
void ProgressiveAccess::refuse_others() const {
  for (const Source& source : sources_)
    for (const std::shared_ptr<ProgressiveAccess>& each : AccessServer::unfinished())
      if (each->concerns(*source.held))
        throw Error(ErrorCode::unsupported, wanted_.readable + ": another progressive access to objects of " +
                                                source.held->readable + " has not ended; drain or end that one first");
}

void ProgressiveAccess::move_regions() {
  std::vector<const Pool*> pools;
  for (const Source& source : sources_) {
    if (std::find(pools.begin(), pools.end(), source.pool) != pools.end()) continue;
    pools.push_back(source.pool);
    regions_.move(*source.pool, [this](WatchedRegion& watched) { watched.move(server_->pages()); });
  }
}

void ProgressiveAccess::move_back() noexcept {
  for (WatchedRegion& region : regions_.places()) region.move_back(server_->pages());
  regions_.places().clear();
}

void ProgressiveAccess::begin(const StoppedWorld& stopped) {
  MOULT_FAULT("convert.access.begin");
  sources_ = sources_of(wanted_, options_.subclasses);
  for (const Source& source : sources_) finish_lazy_conversions(*source.held, stopped);
  refuse_others();
  try {
    move_regions();
    server_->add(shared_from_this());
  } catch (...) {
    move_back();
    throw;
  }
  const std::size_t chunks = regions_.places().slab_count();
  chunks_ = chunks;
  chunks_left_ = chunks;
  for (const Source& source : sources_) source.pool->add_care(Pool::touch);
  if (chunks == 0) {
    release();
    let_visitor_go();
  }
}

bool ProgressiveAccess::contains(const std::byte* address) const noexcept {
  return regions_.places().contains(address);
}

void ProgressiveAccess::resolve(const MissingPage& missing) {
  const Place place = regions_.places().of(missing.page);
  switch (place.region->chunk(place.slab).load(std::memory_order_acquire)) {
    case Chunk::shown: return server_->pages().fill_with_zeros(missing.page, page_size());
    case Chunk::busy: return;  // whoever brings it back wakes all in the end
    case Chunk::wanted:
      if (cannot_wait(missing.task)) show(place);
      return;
    case Chunk::hidden: has_visitor_ && !cannot_wait(missing.task) ? want(place) : static_cast<void>(show(place));
  }
}

ProgressiveAccess::Batches ProgressiveAccess::objects_in(const Place& place) const {
  const Region& region = place.region->region();
  return AccessedObjects::found_in(region, region.slab(place.slab), sources_);
}

/// Brings the chunk back, unless somebody else does. Its objects are to be visited, or taken, after that.
bool ProgressiveAccess::show(const Place& place) {
  Batches found = has_ended_ ? Batches() : objects_in(place);
  AccessServer::Requests request;
  if (has_visitor_ && (!found.empty() || chunks_left_ <= 1)) request.push_back(shared_from_this());
  if (!place.region->claim(place.slab)) return false;
  accessed_.add(std::move(found));
  ++shown_;
  place.region->show(place.slab, server_->pages());
  count_shown();
  if (has_visitor_) return server_->visit(std::move(request)), true;
  accessed_.notify();
  return true;
}

void ProgressiveAccess::want(const Place& place) {
  wanted_chunks_.with([&](auto& wanted) { wanted.push_back(place); });
  Chunk expected = Chunk::hidden;
  place.region->chunk(place.slab).compare_exchange_strong(expected, Chunk::wanted, std::memory_order_acq_rel);
}

void ProgressiveAccess::count_shown() noexcept {
  if (chunks_left_.fetch_sub(1) == 1) release();
}

/// Nothing is hidden any more: the memory is as if it had never been moved.
void ProgressiveAccess::release() noexcept {
  const std::shared_ptr<ProgressiveAccess> alive = shared_from_this();
  for (WatchedRegion& region : regions_.places()) region.release(server_->pages());
  for (const Source& source : sources_) source.pool->drop_care(Pool::touch);
  server_->remove(*this);
  accessed_.complete();
  is_released_ = true;
  is_released_.notify_all();
}

ProgressiveAccess::Place ProgressiveAccess::next_hidden() const noexcept {
  return regions_.places().first([](const Place& place) {
    const Chunk state = place.region->chunk(place.slab).load(std::memory_order_acquire);
    return state == Chunk::hidden || state == Chunk::wanted;
  });
}

void* ProgressiveAccess::next(Clock::time_point deadline) {
  void* const object = accessed_.wait_for_next(deadline);
  if (object != nullptr) ++yielded_;
  return object;
}

void* ProgressiveAccess::take() {
  for (;;) {
    let_others_stop();
    {
      const NoStop here;
      if (void* const object = accessed_.take()) return ++yielded_, object;
      const Place place = is_released_ ? Place{} : next_hidden();
      if (place.region != nullptr) {
        show(place);
        continue;
      }
    }
    return next(Clock::now() + std::chrono::hours(1));  // others are about to bring the last ones back
  }
}

void ProgressiveAccess::let_go() noexcept {
  for (bool is_left = true; is_left;) try {
      let_others_stop();
      const NoStop here;
      const Place place = is_released_ ? Place{} : next_hidden();
      is_left = place.region != nullptr;
      if (is_left) show(place);
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  is_released_.wait(false);  // others are about to bring the last ones back
}

void ProgressiveAccess::end() noexcept {
  has_ended_ = true;
  let_go();
  accessed_.drop();
  let_visitor_go();
}

/// Nothing is visited any more. Visits are made in stops, and none begins meanwhile. A visitor that ends its own access
/// is still running.
void ProgressiveAccess::let_visitor_go() noexcept {
  Visit last;  // is destroyed where a stop may come
  const NoStop here;
  if (!is_visiting_) std::swap(last, visit_);
}

void ProgressiveAccess::let_visitor_go_if_done() noexcept {
  if (has_visitor_ && progress().is_done) let_visitor_go();
}

void ProgressiveAccess::visit(const Batches& batches, const StoppedWorld&) {
  if (visit_.call == nullptr) return;
  is_visiting_ = true;
  for (const std::vector<AccessedObjects::Found>& batch : batches)
    for (auto found = batch.rbegin(); found != batch.rend() && !has_ended_; ++found) {
      if (!is_still(*found)) continue;
      ++yielded_;
      try {
        visit_.call(found->object());
      } catch (const std::exception& error) {
        warn_of_throw(++thrown_, *found->source->held, found->slot, error.what());
      } catch (...) {
        warn_of_throw(++thrown_, *found->source->held, found->slot, "an exception of a type of its own");
      }
    }
  is_visiting_ = false;
}

/// The most urgent one: what somebody waits for, then what is late. False when there is neither.
bool ProgressiveAccess::visit_one_chunk(const StoppedWorld& stopped) {
  const Place place = wanted_chunks_.with([](auto& wanted) {
    if (wanted.empty()) return Place{};
    const Place first = wanted.front();
    wanted.pop_front();
    return first;
  });
  if (place.region == nullptr) {
    const Batches late = accessed_.take_batch();
    visit(late, stopped);
    return !late.empty();
  }
  show_and_visit(place, stopped);
  return true;
}

/// The pages come back first, while nobody can look at them. A visitor may end all of it.
void ProgressiveAccess::show_and_visit(const Place& place, const StoppedWorld& stopped) {
  const Batches found = objects_in(place);
  if (!place.region->claim(place.slab)) return;
  ++shown_;
  place.region->show(place.slab, server_->pages());
  count_shown();
  visit(found, stopped);
}

bool ProgressiveAccess::visit_wanted() {
  bool is_left = !accessed_.is_empty() || wanted_chunks_.with([](const auto& wanted) { return !wanted.empty(); });
  if (!is_left) return let_visitor_go_if_done(), true;
  try {
    in_own_stop(options_.timeout, [&](const StoppedWorld& stopped) {
      const Clock::time_point until = Clock::now() + longest_visit;
      while (is_left && Clock::now() < until) is_left = visit_one_chunk(stopped);
    });
  } catch (const Error&) {  // somebody cannot be stopped: whoever waits may be the reason
    let_wanted_go();
    std::this_thread::sleep_for(options_.timeout);
  }
  if (!is_left) let_visitor_go_if_done();
  return !is_left;
}

void ProgressiveAccess::let_wanted_go() {
  for (;;) {
    let_stop_pass();
    const NoStop here;
    const Place place = wanted_chunks_.with([](auto& wanted) { return wanted.empty() ? Place{} : wanted.front(); });
    if (place.region == nullptr) return;
    show(place);
    wanted_chunks_.with([](auto& wanted) { wanted.pop_front(); });
  }
}

void ProgressiveAccess::finish(milliseconds timeout) {
  if (const StoppedWorld* stopped = internal::current_stop()) return finish(*stopped);
  if (!has_visitor_) return let_go();
  while (!progress().is_done)
    in_own_stop(timeout, [&](const StoppedWorld& stopped) { visit_next(stopped, longest_visit); });
  let_visitor_go();
}

void ProgressiveAccess::finish(const StoppedWorld& stopped) {
  if (!has_visitor_) return let_go();
  while (!progress().is_done) visit_next(stopped, microseconds::max());
  let_visitor_go();
}

/// What is wanted, what is late, and then the rest.
void ProgressiveAccess::visit_next(const StoppedWorld& stopped, microseconds most) {
  const Clock::time_point begin = Clock::now();
  while (Clock::now() - begin < most) {
    if (visit_one_chunk(stopped)) continue;
    const Place place = is_released_ ? Place{} : next_hidden();
    if (place.region == nullptr) return;
    show_and_visit(place, stopped);
  }
}

bool ProgressiveAccess::concerns(const ObjectClass& other) const noexcept {
  return std::any_of(sources_.begin(), sources_.end(),
                     [&](const Source& each) { return each.pool->portion_of(other).has_value(); });
}

AccessProgress ProgressiveAccess::progress() const noexcept {
  AccessProgress now;
  now.chunks = chunks_;
  now.accessed_chunks = shown_;
  now.objects = objects_;
  now.yielded_objects = yielded_;
  now.failed_visits = thrown_;
  now.is_done = accessed_.is_over();
  return now;
}

std::string ProgressiveAccess::describe() const {
  return "objects of " + wanted_.readable + " visited at their first access";
}

}  // namespace moult::internal
