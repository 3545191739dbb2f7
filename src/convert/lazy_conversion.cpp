// Problem: converting tens of millions of objects in one stop takes seconds. Here the stop only ensures that no thread
// uses an object before its conversion. That takes a tenth of a millisecond, for a thousand objects as for ten million.
//
// Approach: the stop evacuates the pages of all slots, region by region (evacuated_region.cpp), and watches the holes
// that they leave (watch/fault_handler.cpp). From then on the pool says that its objects are of the new class. The
// first thread that accesses a hole waits until the slab around it is converted, and so does the kernel in a system
// call. A slab has 64 KiB or more. Slots do not straddle slabs, and no page holds both slots and records.
//
// Where both classes bear being moved byte by byte, the evacuated bytes are converted where they are. Then the hole is
// filled with them page by page, each page in one indivisible step. So the program runs on, and no thread sees an
// object between its classes. Other objects are converted at their addresses, in a stop (slab_stops.cpp).
//
// A slab is `pending` from the stop on, `busy` during its conversion, and `done` when its pages are in place. Only the
// thread that made it busy accesses its evacuated bytes and its bits, and makes it done, after the last page. A missing
// page in a slab that is done reads as zeros: its slab was empty, and its memory was given back to the system. A thread
// that began to wait for such a page while the slab was busy is woken once more afterwards, and faults again.
//
// The live slots of a slab do not change before it is done (pools/pending_slabs.hpp). Where a transformer throws, the
// old value stays in the slot, which then counts as one of the old class. So the pool holds both classes from the stop
// on, even if all new objects are of the new one.
//
// Undo in the same stop (put_back) returns the evacuated pages. Slabs that the update's own steps have accessed by then
// were converted in a copy, or in place beside the evacuated bytes; their new values are destroyed (undo_log.hpp). The
// evacuated pages are used up only when the conversion can no longer be undone (end_olds).
//
// Cycles: see wait_for_graph.hpp. Objects also stay as they are where transformers wait for one another deeper than the
// fault handler has threads.
//
// Threads:
// - The fault handler's threads resolve faults as service work. A stop waits for the end of such work, so it never
//   meets a half-converted slab. A draining thread keeps a stop away as a lock of moult does (NoStop).
// - A transformer runs in one of these threads. It may block, in locks of the program too.
// - In a stop, the stopping thread calls build, exchange, put_back and end_olds. While build, put_back and parts of
//   end_olds hold NoServiceWork, no fault is resolved and the stopping thread accesses no watched memory. Elsewhere in
//   the stop it may access pending objects: a service thread converts them.
// - Fork: the forking thread first drains all conversions, or leaves the objects as they are where the program cannot
// be
//   stopped (another thread may be about to fork). The child has no conversions.
//
// Limits: a child made by clone() instead of fork() reads zeros in slabs that are not done, and so does a debugger's
// core file. With the class redefined, a transformer that calls functions of the old class reaches the new class's.
#include "convert/lazy_conversion.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <thread>
#include <utility>

#include "base/fault.hpp"
#include "base/opaque.hpp"
#include "base/warning.hpp"
#include "convert/background_thread.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/poison.hpp"
#include "pools/live_objects.hpp"
#include "pools/under_construction.hpp"
#include "threads/current_stop.hpp"
#include "threads/service_threads.hpp"
#include "threads/stop_mutex.hpp"

namespace moult {
namespace internal {

/// What all lazy conversions of the process share.
struct LazyService final {
  static constexpr ForkPlace fork_place = ForkPlace::fault_handler;

  FaultHandler faults{
      {.thread_name = "moult pages",
       .sinks = Fault::May::run_program_code,
       .is_urgent = [this](const MissingPage& missing) { return graph.note_wait(missing); },
       .resolve_all = [](FaultSink& sink) noexcept { static_cast<LazyConversion&>(sink).drain_before_fork(); }}};
  WaitForGraph graph{faults.pages()};
  SlabStops stops{faults.pages()};
  BackgroundThread drainer{"moult drain"};
  std::atomic<std::size_t> in_place{0};  ///< unfinished conversions that must convert in place

  void start() {
    faults.start();
    stops.start();
  }
  /// How all conversions convert now. Becomes in_place only in a stop with no service work.
  Manner manner() const noexcept { return in_place > 0 ? Manner::in_place : Manner::evacuated; }

  void add(std::shared_ptr<LazyConversion> conversion) {
    const bool is_in_place = conversion->manner() == Manner::in_place;
    faults.add(std::move(conversion));
    if (is_in_place) ++in_place;
  }
  void remove(const LazyConversion& conversion) noexcept {
    const bool is_in_place = conversion.manner() == Manner::in_place;
    if (faults.remove(conversion) && is_in_place) --in_place;
  }
};

namespace {

using State = PendingSlabs::State;

constexpr const char* unstoppable_reason = "the program could not be stopped to convert it";

/// The unfinished conversions that concern pools with objects of the class.
std::vector<std::shared_ptr<LazyConversion>> lazy_conversions_of(const ObjectClass& wanted) {
  std::vector<std::shared_ptr<LazyConversion>> all = LazyConversion::unfinished();
  std::erase_if(all, [&](const auto& each) { return !each->concerns(wanted); });
  return all;
}

}  // namespace

LazyConversion::LazyConversion(std::shared_ptr<detail::ObjectConverter> converter, const Options& options)
    : service_(ProcessWide<LazyService>::get()),
      converter_(std::move(converter)),
      old_kind_(converter_->old_kind()),
      new_kind_(converter_->new_kind()),
      old_(object_class_of(*old_kind_.type)),
      new_(object_class_of(*new_kind_.type)),
      makes_(options.makes),
      unwritten_(old_kind_.has_vtable ? Unwritten::refused : options.unwritten),
      untouched_(options.untouched),
      manner_(options.manner),
      undo_log_(*converter_),
      report_(old_.name.text(), new_.name.text()) {
  require_two_classes(change());
}

std::vector<std::shared_ptr<LazyConversion>> LazyConversion::unfinished() {
  const std::shared_ptr<LazyService> service = ProcessWide<LazyService>::if_made();
  if (service == nullptr) return {};
  return service->faults.sinks<LazyConversion>();
}

bool LazyConversion::serves_kernel() const noexcept { return service_->faults.pages().serves_kernel(); }

void LazyConversion::check() const {
  MOULT_FAULT("convert.lazy.check");
  for (const PoolChange& pool : plan_pool_changes(change())) refuse_misfit(change(), pool);
}

void LazyConversion::reserve() {
  MOULT_FAULT("convert.lazy.reserve");
  std::size_t objects = 0;
  for (const PoolChange& pool : plan_pool_changes(change())) {
    objects += count_live(*pool.pool, pool.portion);
    regions_.reserve(*pool.pool);
    pool.pool->for_each_region([](Region& region) { region.provide_pending(); });
  }
  counts_.expect(objects);
}

void LazyConversion::plan(const StoppedWorld& stopped) {
  changes_ = plan_pool_changes(change());
  std::vector<const Pool*> pools;
  for (PoolChange& pool : changes_) {
    refuse_misfit(change(), pool);
    refuse_third_class_meanwhile(change(), pool);
    pool.after.other = pool.olds_are_others() ? &old_ : &new_;
    pool.after.other_size = pool.olds_are_others() ? old_kind_.size : new_kind_.size;
    pools.push_back(pool.pool);
  }
  if (std::optional<ObjectUnderConstruction> object = find_under_construction(pools, stopped))
    throw Error(ErrorCode::still_active, internal::describe(*object) + "; try again");
}

void LazyConversion::evacuate_regions() {
  for (const PoolChange& pool : changes_)
    regions_.add(*pool.pool, [&](EvacuatedRegion& region) {
      MOULT_FAULT("convert.lazy.evacuate");
      region.region().provide_pending();
      if (region.evacuate(service_->faults.pages())) return;
      throw Error(ErrorCode::system, pool.before.usual->name.text() +
                                         ": the kernel has no memory to move the pages of its objects aside; convert "
                                         "eagerly, or allow more mappings (vm.max_map_count)");
    });
}

void LazyConversion::open_slabs() noexcept {
  for (EvacuatedRegion& region : regions_.slabs()) {
    PendingSlabs& pending = region.pending();
    pending.set_others(change_in(region).olds_are_others() ? PendingSlabs::Others::none : PendingSlabs::Others::all);
    for (std::uint32_t slab = 0; slab < region.slabs_end(); ++slab) pending.set(slab, State::pending);
  }
  counts_.open(regions_.slabs().slab_count());
}

void LazyConversion::build(const StoppedWorld& stopped) {
  MOULT_FAULT("convert.lazy.build");
  plan(stopped);
  try {
    const NoServiceWork no_fault_is_resolved;
    evacuate_regions();
    service_->add(shared_from_this());
    open_slabs();
  } catch (...) {
    take_back();
    throw;
  }
}

void LazyConversion::exchange(const StoppedWorld& stopped) noexcept {
  for (const PoolChange& pool : changes_) {
    // The address sanitizer checks an access before the access faults, and it may be to a new field.
    if (pool.pool->poisons())
      for_each_live(*pool.pool, pool.portion, stopped,
                    [size = std::max(old_kind_.size, new_kind_.size)](std::byte* slot) { unpoison(slot, size); });
    pool.pool->set_contents(pool.after);
    pool.pool->add_care(Pool::fault_in);
  }
}

const PoolChange& LazyConversion::change_in(const EvacuatedRegion& region) const noexcept {
  return *std::find_if(changes_.begin(), changes_.end(),
                       [&](const PoolChange& each) { return each.pool == &region.region().pool(); });
}

bool LazyConversion::is_pending(const Place& place) const noexcept {
  return place.region->pending().state(place.slab) == State::pending;
}

void LazyConversion::resolve(Fault fault) {
  const Place place = place_of(fault.missing.page);
  if (needs_own_stop(place, fault.missing.task)) return service_->stops.add(fault.missing, shared_from_this());
  const bool may_convert =
      fault.may == Fault::May::run_program_code || !is_pending(place) || service_->manner() == Manner::in_place;
  may_convert ? resolve_here(place, fault.missing)
              : leave(place, "transformers that use other objects waited for one another too deep");
}

/// Whether the slab is converted in a stop of slab_stops.hpp, rather than by the calling thread.
bool LazyConversion::needs_own_stop(const Place& place, pid_t task) const noexcept {
  if (service_->manner() == Manner::evacuated || is_served_in_stop(task)) return false;
  return place.region->pending().state(place.slab) != State::done &&
         !place.region->region().slab(place.slab).is_empty();
}

void LazyConversion::resolve_here(const Place& place, const MissingPage& missing) {
  switch (place.region->pending().state(place.slab)) {
    case State::done: return service_->faults.pages().fill_with_zeros(missing.page, page_size());
    case State::busy: return service_->graph.break_cycle(missing);
    case State::pending: break;
  }
  const bool is_evacuated = service_->manner() == Manner::evacuated;
  if (is_evacuated || place.region->region().slab(place.slab).is_empty()) return convert(place);
  resolve_in_stop(place, missing);
}

/// The program stands still, except for the thread that waits for the page.
void LazyConversion::resolve_in_stop(const Place& place, const MissingPage& missing) {
  bool is_mapped_for_transformer =
      service_->graph.is_converting_in_place(missing.task) && service_->stops.map(*place.region, place.slab);
  if (is_mapped_for_transformer) return;
  convert_in_place(place);
  report();
}

void LazyConversion::map_at(const std::byte* page) noexcept {
  if (is_done_) return;
  Place place = place_of(page);
  if (is_pending(place)) service_->stops.map(*place.region, place.slab);
}

void LazyConversion::leave_rest() {
  for (Place place = next_pending(); place.region != nullptr; place = next_pending()) leave(place, unstoppable_reason);
}

/// The objects of the slab stay as they are.
void LazyConversion::leave(const Place& place, const char* reason) {
  Slab& slab = place.region->region().slab(place.slab);
  SlabConversion conversion(*converter_, change_in(*place.region), slab, unwritten_, SlabConversion::Olds::kept);
  if (!place.region->pending().claim(place.slab)) return;
  conversion.leave(reason);
  count(conversion);
  report();
  place.region->map(place.slab, service_->faults.pages());
  close(place);
}

/// In a stop, by the stopping thread or by service work for it. Until the conversion can no longer be undone, the
/// evacuated bytes stay as they were.
void LazyConversion::convert_in_place(const Place& place) {
  EvacuatedRegion& region = *place.region;
  Slab& slab = region.region().slab(place.slab);
  if (slab.is_empty()) return convert(place);
  UndoLog::Entries entry = entry_if_undoable(place);
  const bool is_certain = entry.empty();
  SlabConversion conversion(*converter_, change_in(region), slab, unwritten_, olds_of(entry));
  const HeldSlab held(service_->graph, Manner::in_place);
  conversion.prepare_in_place();
  service_->stops.unmap_all();  // this slab may be mapped
  if (!region.pending().claim(place.slab)) return;
  is_certain ? region.bring_back_silently(place.slab, service_->faults.pages())
             : region.map_silently(place.slab, service_->faults.pages());
  conversion.run_in_place();
  service_->stops.unmap_all();
  count(conversion);
  settle(place, conversion, std::move(entry));
}

/// Converts the slab, unless another thread does. While the conversion may still be undone, it converts a copy of the
/// evacuated bytes.
void LazyConversion::convert(const Place& place) {
  EvacuatedRegion& region = *place.region;
  Slab& slab = region.region().slab(place.slab);
  UndoLog::Entries entry = entry_if_undoable(place);
  const bool is_certain = entry.empty();
  SlabConversion conversion(*converter_, change_in(region), slab, unwritten_, olds_of(entry));
  HeldSlab held(service_->graph, Manner::evacuated);
  std::byte* bytes = region.evacuated(slab.begin());
  std::unique_ptr<std::byte[]> copy;
  if (!is_certain) copy = std::make_unique<std::byte[]>(region.slab_size());
  if (!region.pending().claim(place.slab)) return;
  const bool is_empty = slab.is_empty();
  if (copy && !is_empty) bytes = static_cast<std::byte*>(std::memcpy(copy.get(), bytes, region.slab_size()));
  if (!is_empty) {
    held.hold(slab.begin(), region.slab_size(), bytes);
    conversion.run(bytes, held);
  }
  count(conversion);  // before any thread sees the objects
  if (service_->manner() == Manner::evacuated) report();
  if (!is_empty && !held.release())
    is_certain ? region.bring_back(place.slab, service_->faults.pages())
               : service_->faults.pages().fill(slab.begin(), region.slab_size(), bytes);
  settle(place, conversion, std::move(entry));
}

/// An undo log's entry while the conversion may still be undone; none afterwards. Throws std::bad_alloc.
UndoLog::Entries LazyConversion::entry_if_undoable(const Place& place) const {
  return is_certain_ ? UndoLog::Entries() : UndoLog::prepare(*place.region, place.slab);
}

SlabConversion::Olds LazyConversion::olds_of(const UndoLog::Entries& entry) noexcept {
  return entry.empty() ? SlabConversion::Olds::ended : SlabConversion::Olds::kept;
}

/// The slab is converted. Its evacuated bytes go into the undo log, or are freed.
void LazyConversion::settle(const Place& place, SlabConversion& conversion, UndoLog::Entries entry) noexcept {
  entry.empty() ? place.region->forget(place.slab) : undo_log_.add(std::move(entry), conversion.take_words());
  close(place);
}

void LazyConversion::count(const SlabConversion& slab) noexcept {
  counts_.add(slab.converted(), slab.failed());
  report_.add(slab.failures());
}

/// The slab's pages are in place, or it is empty.
void LazyConversion::close(const Place& place) noexcept {
  place.region->pending().set(place.slab, State::done);
  service_->faults.pages().wake(place.region->region().slab(place.slab).begin(), place.region->slab_size());
  if (counts_.close_one() && is_certain_) finish();
}

/// All slabs are done: the memory becomes what it was before the evacuation.
void LazyConversion::finish() noexcept {
  if (is_finished_.exchange(true)) return;
  const std::shared_ptr<LazyConversion> alive = shared_from_this();
  for (EvacuatedRegion& region : regions_.slabs()) region.release(service_->faults.pages());
  for (const PoolChange& pool : changes_) {
    pool.pool->drop_care(Pool::fault_in);
    if (pool.olds_are_others() && !counts_.has_failures()) pool.pool->drop_care(Pool::clear_other);
  }
  service_->remove(*this);
  is_done_ = true;
  is_done_.notify_all();
}

void LazyConversion::take_back() noexcept {
  // The new class's destructors may access pending objects, which adds further entries to the undo log.
  for (;;) {
    { const NoServiceWork until_all_entries_are_there; }
    if (!undo_log_.put_back()) break;
  }
  const NoServiceWork no_fault_is_resolved;
  for (EvacuatedRegion& region : regions_.slabs()) {
    for (std::uint32_t slab = 0; slab < region.slabs_end(); ++slab) region.pending().set(slab, State::done);
    region.restore(service_->faults.pages());
  }
  regions_.slabs().clear();
  for (const PoolChange& pool : changes_) {
    pool.pool->set_contents(pool.before);
    pool.pool->drop_care(Pool::fault_in);
  }
  service_->remove(*this);
  is_done_ = true;
  is_done_.notify_all();
}

void LazyConversion::end_olds(const StoppedWorld&) noexcept {
  if (is_certain_ || is_done_) return;
  {
    const NoServiceWork until_all_entries_are_there;
    is_certain_ = true;
  }
  undo_log_.end_olds();
  if (counts_.are_all_closed()) finish();
}

void LazyConversion::go_on() noexcept {
  if (untouched_ == Untouched::left || !is_certain_ || is_done_) return;
  try {
    service_->drainer.start();
    service_->drainer.add({[conversion = shared_from_this()] {
      conversion->drain();
      return true;
    }});
  } catch (const std::exception& error) {
    warn_of_rest(error.what());
  }
}

void LazyConversion::warn_of_rest(const char* why) const noexcept try {
  warn(old_.name.text() + ": nobody converts the rest of its objects: " + why);
} catch (const std::bad_alloc&) {  // `moult objects` shows them
}

LazyConversion::Place LazyConversion::next_pending() const noexcept {
  return regions_.slabs().first([this](const Place& place) { return is_pending(place); });
}

void LazyConversion::drain() {
  while (!is_done_ && next_pending().region != nullptr)
    service_->manner() == Manner::in_place ? drain_in_stops() : drain_beside();
  is_done_.wait(false);
}

/// Converts one slab while the program runs.
void LazyConversion::drain_beside() {
  let_stop_pass();
  const NoStop here;
  if (service_->manner() == Manner::in_place) return;  // a conversion in place has begun in a stop meanwhile
  const Place place = is_done_ ? Place{} : next_pending();
  if (place.region != nullptr) convert(place);
}

/// Converts slabs for half a millisecond in one stop, which itself costs as much as a few slabs.
void LazyConversion::drain_in_stops() {
  static constexpr std::chrono::microseconds long_enough{500};
  constexpr std::chrono::milliseconds drain_attempt{2000};
  let_stop_pass();
  service_->stops.in_stop(drain_attempt, [this] {
    const auto until = std::chrono::steady_clock::now() + long_enough;
    do {
      const Place place = is_done_ ? Place{} : next_pending();
      if (place.region == nullptr) return;
      convert_in_place(place);
    } while (std::chrono::steady_clock::now() < until);
  });
  report();
}

void LazyConversion::drain(const StoppedWorld&) {
  const auto convert_one = [this](const Place& place) {
    service_->manner() == Manner::in_place ? convert_in_place(place) : convert(place);
  };
  if (is_done_) return;
  for (Place place = next_pending(); place.region != nullptr; place = next_pending()) convert_one(place);
  report();
  const NoServiceWork until_slabs_in_conversion_are_done;
}

void LazyConversion::drain_before_fork() noexcept {
  for (bool can_stop = true;;) try {
      return can_stop ? drain() : leave_rest();
    } catch (const Error& error) {  // another thread may be about to fork, which no stop reaches
      if (error.code() == ErrorCode::thread_unstoppable) can_stop = false;
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(out_of_memory_pause);
    }
}

std::string LazyConversion::describe() const {
  return "objects of " + old_.name.text() + " converted to " + new_.name.text() + " at their first use";
}

void LazyConversion::require_current() const {
  for (const PoolChange& pool : changes_) require_still(new_, *pool.pool);
}

bool LazyConversion::concerns(const ObjectClass& other) const noexcept {
  return std::any_of(changes_.begin(), changes_.end(),
                     [&](const PoolChange& each) { return each.after.usual == &other || each.after.other == &other; });
}

void finish_lazy_conversions(const ObjectClass& old_class) {
  if (const StoppedWorld* stopped = internal::current_stop()) return finish_lazy_conversions(old_class, *stopped);
  for (const auto& each : lazy_conversions_of(old_class)) each->drain();
}

void finish_lazy_conversions(const ObjectClass& old_class, const StoppedWorld& stopped) {
  for (const auto& each : lazy_conversions_of(old_class)) each->drain(stopped);
  if (lazy_conversions_of(old_class).empty()) return;
  throw Error(ErrorCode::unsupported,
              old_class.name.text() +
                  ": objects of its pool were converted at first use in this very stop, which "
                  "has to end before they are converted again; do that in an update of its own");
}

void finish_lazy_conversions() {
  if (const StoppedWorld* stopped = internal::current_stop()) return finish_lazy_conversions(*stopped);
  for (const auto& each : LazyConversion::unfinished()) each->drain();
}

void finish_lazy_conversions(const StoppedWorld& stopped) {
  for (const auto& each : LazyConversion::unfinished()) each->drain(stopped);
}

}  // namespace internal

LazyObjects::LazyObjects(std::shared_ptr<detail::OpaqueLazyConversion> conversion) noexcept
    : conversion_(std::move(conversion)) {}

LazyProgress LazyObjects::progress() const noexcept {
  return conversion_ == nullptr ? LazyProgress{} : internal::behind<internal::LazyConversion>(*conversion_).progress();
}

void LazyObjects::drain() const {
  if (conversion_ == nullptr) return;
  auto& conversion = internal::behind<internal::LazyConversion>(*conversion_);
  const internal::StoppedWorld* stopped = internal::current_stop();
  stopped != nullptr ? conversion.drain(*stopped) : conversion.drain();
}

}  // namespace moult
