// Problem: work on all objects of a class can be spread over the time in which the program reaches them. Then the
// program's first access to an object must be noticed.
//
// Approach: as in a lazy conversion (lazy_conversion.cpp), a stop evacuates the pages of all slots, and the holes are
// watched. But nothing is changed: at the first access to a slab its pages return as they were, to their own addresses,
// and its objects are reported. No slot of an unmapped slab becomes live or free. So the reported objects are exactly
// those that lived in the stop.
//
// Objects are reported in one of two ways:
// - Without a visitor they are queued for the caller to take, and the access goes on at once.
// - With a visitor the slab is only marked as wanted. A thread stops the program, brings the pages back, and runs the
//   visitor. No thread can reach the objects before that, however many wait for them. The visitor's transaction holds
//   the stop, so that moult's functions which the visitor calls work in that stop.
//
// Threads:
// - The fault handler's one thread only copies pages. It is a service thread, runs no code of the program, waits for no
//   thread that may be stopped, and works in a stopped program too. It must not destroy an access with a visitor,
//   because the visitor's destructor may access watched memory: so resolve() hands its reference over.
// - The visitor is destroyed as soon as nothing is left to visit, by the visiting thread or by the one that ends the
//   access.
// - The visiting thread is stopped like any other, or stops the others itself.
// - Only the thread that made a slab busy brings it back. In the running program such a thread keeps a stop away
//   (NoStop), because the stopping thread waits for a busy slab. The fault handler's thread needs no NoStop.
// - While the queue of accessed objects is locked, no other lock is taken.
// - Fork: the forking thread first maps all slabs. The child has no accesses.
//
// Conversions have a fault handler of their own, whose threads run transformers and wait for one another. The two never
// watch the same memory: a conversion finishes accesses first, and an access finishes conversions.
//
// Limits: an access that cannot wait for a stop goes on first, and its objects are visited later; the public header
// says when. By then a slot may hold an object of another class, or none: each slot is checked again.
#include "convert/progressive_access.hpp"

#include <algorithm>
#include <bit>
#include <exception>
#include <thread>
#include <utility>

#include "base/address.hpp"
#include "base/fault.hpp"
#include "base/opaque.hpp"
#include "base/transaction.hpp"
#include "base/untracked_change.hpp"
#include "base/warning.hpp"
#include "convert/background_thread.hpp"
#include "convert/lazy_conversion.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/stop_signal.hpp"
#include "platform/tasks.hpp"
#include "pools/class_pools.hpp"
#include "threads/current_stop.hpp"
#include "threads/service_threads.hpp"
#include "threads/stop_mutex.hpp"

namespace moult {
namespace internal {

/// What all progressive accesses of the process share.
struct AccessService final {
  static constexpr ForkPlace fork_place = ForkPlace::accesses;

  FaultHandler faults{
      {.thread_name = "moult access",
       .sinks = Fault::May::copy_pages,
       .is_urgent = {},
       .resolve_all = [](FaultSink& sink) noexcept { static_cast<ProgressiveAccess&>(sink).map_all(); }}};
  BackgroundThread visitor{"moult visit"};

  void start() {
    visitor.start();
    faults.start();
  }
};

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// The program stands still for visits for this long at a time.
constexpr microseconds longest_visit{1000};

void let_others_stop() noexcept {
  if (internal::current_stop() == nullptr) let_stop_pass();
}

/// A thread that waits for memory in a system call cannot be stopped. The thread that has the program stopped prevents
/// another stop. One that was stopped at an instruction after its fault had been read makes the access again.
bool cannot_wait(pid_t task) noexcept {
  if (is_served_in_stop(task)) return true;
  const BlockedCall call = blocked_call(task);
  return call.number >= 0 && !is_wait_for_release(call);
}

/// Whether the object is still there, and of the class that it was found as.
bool is_still(const AccessedObjects::Found& found) noexcept {
  const std::optional<Portion> portion = found.source->pool->portion_of(*found.source->held);
  return portion && find_live(*found.source->pool, *portion, *internal::current_stop(), found.slot).has_value();
}

/// Reports the throw number `count`. An error that occurs for every object must not flood the log.
void warn_of_throw(std::size_t count, const ObjectClass& type, const void* object, const char* reason) noexcept try {
  constexpr std::size_t most_named = 8;
  if (count > most_named && !std::has_single_bit(count)) return;
  std::string text = "the visit of the object of " + type.name.text() + " at " +
                     hex_text(reinterpret_cast<std::uintptr_t>(object)) + " threw: " + reason;
  if (count > most_named)
    text += " (" + std::to_string(count) + " visits threw so far; the log names only some of them)";
  warn(text);
} catch (const std::exception&) {  // the throw is not reported
}

/// The accesses that concern pools with objects of the class.
std::vector<std::shared_ptr<ProgressiveAccess>> accesses_of(const ObjectClass& wanted) {
  std::vector<std::shared_ptr<ProgressiveAccess>> all = ProgressiveAccess::unfinished();
  std::erase_if(all, [&](const auto& each) { return !each->concerns(wanted); });
  return all;
}

/// Calls `act(stopped)` in a stop that the functions it calls join.
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

WatchedRegion::WatchedRegion(Region& region, EvacuationSpace space)
    : slots_(region, std::move(space)), states_(std::make_unique<std::atomic<State>[]>(slabs_end())) {}

bool WatchedRegion::claim(std::uint32_t slab) noexcept {
  std::atomic<State>& current = state(slab);
  State expected = State::unmapped;
  if (current.compare_exchange_strong(expected, State::busy, std::memory_order_acq_rel)) return true;
  return expected == State::wanted && current.compare_exchange_strong(expected, State::busy, std::memory_order_acq_rel);
}

/// An empty slab that no thread owns needs no pages: zeros will do, and its memory may be with the system.
void WatchedRegion::map(std::uint32_t index, Userfaultfd& pages) noexcept {
  Slab& slab = region().slab(index);
  if (!slab.is_empty() || slab.state.load() == Slab::State::owned) slots_.bring_back(index, pages);
  slots_.forget(index);
  state(index).store(State::mapped, std::memory_order_release);
  pages.wake(slab.begin(), slots_.slab_size());
}

void WatchedRegion::evacuate(Userfaultfd& pages) {
  MOULT_FAULT("convert.access.evacuate");
  if (slots_.evacuate(pages)) return;
  throw Error(ErrorCode::system, region().pool().object_class().name.text() +
                                     ": the kernel has no memory to move the pages of its objects aside; allow more "
                                     "mappings (vm.max_map_count), or use DataAccessor, immediate");
}

ProgressiveAccess::ProgressiveAccess(const ObjectClass& wanted, const Enumeration& options, Visit visit)
    : service_(ProcessWide<AccessService>::get()),
      wanted_(wanted),
      options_(options),
      has_visitor_(visit.call != nullptr),
      visit_(std::move(visit)) {}

std::vector<std::shared_ptr<ProgressiveAccess>> ProgressiveAccess::unfinished() {
  const std::shared_ptr<AccessService> service = ProcessWide<AccessService>::if_made();
  if (service == nullptr) return {};
  return service->faults.sinks<ProgressiveAccess>();
}

bool ProgressiveAccess::serves_kernel() const noexcept { return service_->faults.pages().serves_kernel(); }

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

/// Memory has one watcher: two would both resolve its faults.
void ProgressiveAccess::refuse_others() const {
  for (const Source& source : sources_)
    if (!accesses_of(*source.held).empty())
      throw Error(ErrorCode::unsupported, wanted_.name.text() + ": another progressive access to objects of " +
                                              source.held->name.text() + " has not ended; drain or end that one first");
}

void ProgressiveAccess::evacuate_regions() {
  std::vector<const Pool*> pools;
  for (const Source& source : sources_) {
    if (std::find(pools.begin(), pools.end(), source.pool) != pools.end()) continue;
    pools.push_back(source.pool);
    regions_.add(*source.pool, [this](WatchedRegion& watched) { watched.evacuate(service_->faults.pages()); });
  }
}

void ProgressiveAccess::restore() noexcept {
  for (WatchedRegion& region : regions_.slabs()) region.restore(service_->faults.pages());
  regions_.slabs().clear();
}

void ProgressiveAccess::begin(const StoppedWorld& stopped) {
  MOULT_FAULT("convert.access.begin");
  sources_ = sources_of(wanted_, options_.subclasses);
  for (const Source& source : sources_) finish_lazy_conversions(*source.held, stopped);
  refuse_others();
  try {
    evacuate_regions();
    service_->faults.add(shared_from_this());
  } catch (...) {
    restore();
    throw;
  }
  const std::size_t slabs = regions_.slabs().slab_count();
  slabs_ = slabs;
  slabs_left_ = slabs;
  for (const Source& source : sources_) source.pool->add_care(Pool::fault_in);
  if (slabs == 0) {
    release();
    let_visitor_go();
  }
}

bool ProgressiveAccess::contains(const std::byte* page) const noexcept { return regions_.slabs().contains(page); }

void ProgressiveAccess::resolve(Fault fault) {
  if (!has_visitor_) return resolve_at(regions_.slabs().of(fault.missing.page), fault.missing);
  // Made first, as that may fail. The reference must not be destroyed in this thread.
  auto self = std::static_pointer_cast<ProgressiveAccess>(std::move(fault.sink));
  BackgroundThread::Jobs job{[self] { return self->visit_wanted(); }};
  resolve_at(regions_.slabs().of(fault.missing.page), fault.missing);
  BackgroundThread& visitor = service_->visitor;
  self.reset();
  visitor.add(std::move(job));
}

void ProgressiveAccess::resolve_at(const Place& place, const MissingPage& missing) {
  switch (place.region->state(place.slab).load(std::memory_order_acquire)) {
    case State::mapped: return service_->faults.pages().fill_with_zeros(missing.page, page_size());
    case State::busy: return;  // the thread that brings the slab back wakes all waiting threads at the end
    case State::wanted:
      if (cannot_wait(missing.task)) map(place);
      return;
    case State::unmapped: has_visitor_ && !cannot_wait(missing.task) ? want(place) : static_cast<void>(map(place));
  }
}

ProgressiveAccess::Batches ProgressiveAccess::objects_in(const Place& place) const {
  const Region& region = place.region->region();
  return AccessedObjects::found_in(region, region.slab(place.slab), sources_);
}

/// Brings the slab back, unless another thread does. Its objects are queued, to be visited or taken.
bool ProgressiveAccess::map(const Place& place) {
  Batches found = has_ended_ ? Batches() : objects_in(place);
  BackgroundThread::Jobs job;
  if (has_visitor_ && (!found.empty() || slabs_left_ <= 1))
    job.push_back([self = shared_from_this()] { return self->visit_wanted(); });
  if (!place.region->claim(place.slab)) return false;
  accessed_.add(std::move(found));
  ++mapped_;
  place.region->map(place.slab, service_->faults.pages());
  count_mapped();
  if (has_visitor_) return service_->visitor.add(std::move(job)), true;
  accessed_.notify();
  return true;
}

void ProgressiveAccess::want(const Place& place) {
  wanted_slabs_.with([&](auto& wanted) { wanted.push_back(place); });
  State expected = State::unmapped;
  place.region->state(place.slab).compare_exchange_strong(expected, State::wanted, std::memory_order_acq_rel);
}

void ProgressiveAccess::count_mapped() noexcept {
  if (slabs_left_.fetch_sub(1) == 1) release();
}

/// All slabs are mapped: the memory becomes what it was before the evacuation.
void ProgressiveAccess::release() noexcept {
  const std::shared_ptr<ProgressiveAccess> alive = shared_from_this();
  for (WatchedRegion& region : regions_.slabs()) region.release(service_->faults.pages());
  for (const Source& source : sources_) source.pool->drop_care(Pool::fault_in);
  service_->faults.remove(*this);
  accessed_.complete();
  is_released_ = true;
  is_released_.notify_all();
}

ProgressiveAccess::Place ProgressiveAccess::next_unmapped() const noexcept {
  return regions_.slabs().first([](const Place& place) {
    const State state = place.region->state(place.slab).load(std::memory_order_acquire);
    return state == State::unmapped || state == State::wanted;
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
      const Place place = is_released_ ? Place{} : next_unmapped();
      if (place.region != nullptr) {
        map(place);
        continue;
      }
    }
    return next(Clock::now() + std::chrono::hours(1));  // other threads are about to bring the last slabs back
  }
}

void ProgressiveAccess::map_all() noexcept {
  for (bool is_left = true; is_left;) try {
      let_others_stop();
      const NoStop here;
      const Place place = is_released_ ? Place{} : next_unmapped();
      is_left = place.region != nullptr;
      if (is_left) map(place);
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(out_of_memory_pause);
    }
  is_released_.wait(false);  // other threads are about to bring the last slabs back
}

void ProgressiveAccess::end() noexcept {
  has_ended_ = true;
  map_all();
  accessed_.drop();
  let_visitor_go();
}

/// Nothing is visited any more. Visits run in stops, and none begins meanwhile. A visitor that ends its own access is
/// still running: then it stays.
void ProgressiveAccess::let_visitor_go() noexcept {
  Visit last;  // destroyed where a stop may come
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

/// Visits the objects of a slab that a thread waits for, or else of one that was mapped unvisited. False when there is
/// neither.
bool ProgressiveAccess::visit_one_slab(const StoppedWorld& stopped) {
  const Place place = wanted_slabs_.with([](auto& wanted) {
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
  map_and_visit(place, stopped);
  return true;
}

/// The pages come back first: no other thread can access them now. The visitor may end this access.
void ProgressiveAccess::map_and_visit(const Place& place, const StoppedWorld& stopped) {
  const Batches found = objects_in(place);
  if (!place.region->claim(place.slab)) return;
  ++mapped_;
  place.region->map(place.slab, service_->faults.pages());
  count_mapped();
  visit(found, stopped);
}

/// Visits objects that threads wait for, and objects that were mapped unvisited, for a millisecond. True when none are
/// left. Throws std::bad_alloc.
bool ProgressiveAccess::visit_wanted() {
  bool is_left = !accessed_.is_empty() || wanted_slabs_.with([](const auto& wanted) { return !wanted.empty(); });
  if (!is_left) return let_visitor_go_if_done(), true;
  try {
    in_own_stop(options_.timeout, [&](const StoppedWorld& stopped) {
      const Clock::time_point until = Clock::now() + longest_visit;
      while (is_left && Clock::now() < until) is_left = visit_one_slab(stopped);
    });
  } catch (const Error&) {  // a thread cannot be stopped, perhaps because it waits for this visit
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
    const Place place = wanted_slabs_.with([](auto& wanted) { return wanted.empty() ? Place{} : wanted.front(); });
    if (place.region == nullptr) return;
    map(place);
    wanted_slabs_.with([](auto& wanted) { wanted.pop_front(); });
  }
}

void ProgressiveAccess::finish(milliseconds timeout) {
  if (const StoppedWorld* stopped = internal::current_stop()) return finish(*stopped);
  if (!has_visitor_) return map_all();
  while (!progress().is_done)
    in_own_stop(timeout, [&](const StoppedWorld& stopped) { visit_next(stopped, longest_visit); });
  let_visitor_go();
}

void ProgressiveAccess::finish(const StoppedWorld& stopped) {
  if (!has_visitor_) return map_all();
  while (!progress().is_done) visit_next(stopped, microseconds::max());
  let_visitor_go();
}

/// Visits slabs that threads wait for, then slabs mapped unvisited, then the rest.
void ProgressiveAccess::visit_next(const StoppedWorld& stopped, microseconds most) {
  const Clock::time_point begin = Clock::now();
  while (Clock::now() - begin < most) {
    if (visit_one_slab(stopped)) continue;
    const Place place = is_released_ ? Place{} : next_unmapped();
    if (place.region == nullptr) return;
    map_and_visit(place, stopped);
  }
}

bool ProgressiveAccess::concerns(const ObjectClass& other) const noexcept {
  return std::any_of(sources_.begin(), sources_.end(),
                     [&](const Source& each) { return each.pool->portion_of(other).has_value(); });
}

AccessProgress ProgressiveAccess::progress() const noexcept {
  AccessProgress now;
  now.chunks = slabs_;
  now.accessed_chunks = mapped_;
  now.objects = objects_;
  now.yielded_objects = yielded_;
  now.failed_visits = thrown_;
  now.is_done = accessed_.is_over();
  return now;
}

std::string ProgressiveAccess::describe() const {
  return "objects of " + wanted_.name.text() + " visited at their first access";
}

void finish_progressive_accesses(const ObjectClass& converted) {
  for (const auto& each : accesses_of(converted)) each->finish(std::chrono::seconds(1));
}

void finish_progressive_accesses(const ObjectClass& converted, const StoppedWorld& stopped) {
  for (const auto& each : accesses_of(converted)) each->finish(stopped);
}

}  // namespace internal

namespace detail::inline MOULT_ABI_NAMESPACE {
namespace {

void record(const std::shared_ptr<internal::ProgressiveAccess>& access) {
  internal::Transaction* const transaction = internal::Transaction::current();
  if (transaction == nullptr) return;
  internal::UndoStep step;
  step.what = {access->describe()};
  step.undo = [access] { access->end(); };
  transaction->add(std::move(step));
}

internal::ProgressiveAccess& known(OpaqueProgressiveAccess& access) noexcept {
  return internal::behind<internal::ProgressiveAccess>(access);
}

}  // namespace

ProgressiveObjects::ProgressiveObjects(const OpaquePool& own, const Enumeration& options, Visit visit, Caller caller) {
  internal::require_changes_are_made("a progressive access");
  const bool is_visit = visit != nullptr;
  internal::ProgressiveAccess::Visit recorded;
  if (is_visit)
    recorded = {internal::CodeRecord(internal::CodeUse::called_later, {caller.module, caller.function}),
                std::move(visit)};
  auto access = std::make_shared<internal::ProgressiveAccess>(internal::behind<internal::Pool>(own).object_class(),
                                                              options, std::move(recorded));
  access->reserve();
  internal::in_stopped_world({.timeout = options.timeout, .keep_out = {}}, [&](const internal::StoppedWorld& stopped) {
    access->begin(stopped);
    try {
      if (is_visit) record(access);
    } catch (...) {
      access->end();
      throw;
    }
  });
  access_ = std::move(access);
}

AccessProgress ProgressiveObjects::progress() const noexcept {
  return access_ == nullptr ? AccessProgress{} : known(*access_).progress();
}

void* ProgressiveObjects::next(std::chrono::steady_clock::time_point deadline) const {
  return known(*access_).next(deadline);
}

void* ProgressiveObjects::take() const { return known(*access_).take(); }

void ProgressiveObjects::drain(std::chrono::milliseconds timeout) const {
  if (access_ != nullptr) known(*access_).finish(timeout);
}

void ProgressiveObjects::cease() const noexcept {
  if (access_ != nullptr) known(*access_).end();
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE

AccessVisit::AccessVisit(const detail::OpaquePool& own, const Enumeration& options, std::function<void(void*)> visit,
                         detail::Caller caller)
    : ProgressiveObjects(own, options, std::move(visit), caller) {}

}  // namespace moult
