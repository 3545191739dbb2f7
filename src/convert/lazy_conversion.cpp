// Why: converting tens of millions of objects in one stop takes seconds. Here the stop only makes it certain that no
// object is used before it is converted, and takes a tenth of a millisecond, for ten million objects as for a thousand.
//
// How: in the stop the pages of all slots are moved aside, region by region (moved_region.cpp), and the holes that they
// leave are watched (platform/userfaultfd.hpp). From then on the pool says that what lies there is
// of the new class. Whoever touches a hole first, the program or the kernel on its behalf, waits until the chunk around
// it is converted: one slab, 64 KiB or more. Slots do not straddle slabs, and no page holds both slots and records.
//
// Where both classes bear being moved byte by byte, the moved bytes are converted where they are, and the hole is then
// filled with them page by page, each in one indivisible step. So the program runs on, and nobody ever sees an object
// between its classes. Other objects are converted at their addresses, in a stop: slab_stops.cpp says how.
//
// A chunk is `waiting` from the stop on, `busy` while somebody converts it, `done` when its pages are there. Only who
// made it busy touches its moved bytes and its bits, and makes it done; that comes after the last page, since a page
// that is missing in a chunk that is done reads as zeros (its slab was empty and given back to the system). Who began
// to wait for such a page while the chunk was busy is woken once more after that, to be asked for anew.
//
// Which slots are live does not change in a chunk that is not done (awaiting.hpp). A transformer that throws leaves the
// old value in the slot, which counts as one of the old class: so the pool holds both classes from the stop on, even if
// all new objects are of the new one.
//
// Undone in the same stop (put_back), the moved pages are moved back. What was converted meanwhile, as the update's own
// steps touched it, was converted in a copy, or in place beside the moved bytes, and its new values are destroyed. Only
// when it is certain that nothing is undone (end_olds) the moved pages are used up.
//
// Who may do what. A stop meets no conversion of a chunk half done: page servers do it in work that a stop waits for
// (threads/service_threads.hpp), and a thread that drains keeps a stop away as a lock of moult does. In a stop build,
// exchange and put_back have the servers stand still.
//
// Limits: a child of clone() that was not made by fork() reads zeros where nothing was converted yet; so does a
// debugger's core file. With the class redefined, a transformer that calls functions of the old class reaches the new
// one's.
#include "convert/lazy_conversion.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/event.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/poison.hpp"
#include "pools/live_objects.hpp"
#include "pools/under_construction.hpp"
#include "threads/service_threads.hpp"
#include "threads/stop_mutex.hpp"

namespace moult::internal {
namespace {

using Chunk = PendingSlabs::Chunk;

}  // namespace

LazyConversion::LazyConversion(std::shared_ptr<detail::ObjectConverter> converter, const Options& options)
    : server_(PageServer::get()),
      converter_(std::move(converter)),
      old_kind_(converter_->old_kind()),
      new_kind_(converter_->new_kind()),
      old_(object_class_of(*old_kind_.type)),
      new_(object_class_of(*new_kind_.type)),
      makes_(options.makes),
      unwritten_(old_kind_.has_vtable ? Unwritten::refused : options.unwritten),
      untouched_(options.untouched),
      manner_(options.manner),
      revocables_(*converter_),
      report_(old_.readable, new_.readable) {
  require_two_classes(change());
}

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
  if (std::optional<ObjectUnderConstruction> unmade = find_under_construction(pools, stopped))
    throw Error(ErrorCode::still_active, internal::describe(*unmade) + "; try again");
}

void LazyConversion::move_regions() {
  for (const PoolChange& pool : changes_)
    regions_.move(*pool.pool, [&](EvacuatedRegion& moved) {
      MOULT_FAULT("convert.lazy.move");
      moved.region().provide_pending();
      if (moved.move(server_->pages())) return;
      throw Error(ErrorCode::system, pool.before.usual->readable +
                                         ": the kernel has no memory to move the pages of its objects aside; convert "
                                         "eagerly, or allow more mappings (vm.max_map_count)");
    });
}

void LazyConversion::open_chunks() noexcept {
  for (EvacuatedRegion& region : regions_.places()) {
    PendingSlabs& awaiting = region.awaiting();
    awaiting.set_now(change_in(region).olds_are_others() ? PendingSlabs::Now::all_usual : PendingSlabs::Now::all_others);
    for (std::uint32_t slab = 0; slab < region.slabs_end(); ++slab) awaiting.set(slab, Chunk::waiting);
  }
  counts_.open(regions_.places().slab_count());
}

void LazyConversion::build(const StoppedWorld& stopped) {
  MOULT_FAULT("convert.lazy.build");
  plan(stopped);
  try {
    const NoServiceWork servers_stand_still;
    move_regions();
    server_->add(shared_from_this());
    open_chunks();
  } catch (...) {
    take_back();
    throw;
  }
}

void LazyConversion::exchange(const StoppedWorld& stopped) noexcept {
  for (const PoolChange& pool : changes_) {
    // The sanitizer looks before the access that converts, which may be to a new field.
    if (pool.pool->poisons())
      for_each_live(*pool.pool, pool.portion, stopped,
                    [size = std::max(old_kind_.size, new_kind_.size)](std::byte* slot) { unpoison(slot, size); });
    pool.pool->set_contents(pool.after);
    pool.pool->add_care(Pool::touch);
  }
}

const PoolChange& LazyConversion::change_in(const EvacuatedRegion& region) const noexcept {
  return *std::find_if(changes_.begin(), changes_.end(),
                       [&](const PoolChange& each) { return each.pool == &region.region().pool(); });
}

bool LazyConversion::is_waiting(const Place& place) const noexcept {
  return place.region->awaiting().chunk(place.slab) == Chunk::waiting;
}

void LazyConversion::resolve(const MissingPage& missing) {
  Place place = place_of(missing.page);
  switch (place.region->awaiting().chunk(place.slab)) {
    case Chunk::done: return server_->pages().fill_with_zeros(missing.page, page_size());
    case Chunk::busy: return server_->claims().break_circle(missing);
    case Chunk::waiting: break;
  }
  if (server_->manner() == Manner::evacuated || place.region->region().slab(place.slab).is_empty()) return convert(place);
  resolve_in_stop(place, missing);
}

/// The program stands still, and the only thread that does not is the one that waits here.
void LazyConversion::resolve_in_stop(const Place& place, const MissingPage& missing) {
  bool is_lent =
      server_->claims().is_converting_in_place(missing.task) && server_->slab_stops().show(*place.region, place.slab);
  if (is_lent) return;
  convert_in_place(place);
  tell();
}

void LazyConversion::resolve_unconverted(const MissingPage& missing) {
  Place place = place_of(missing.page);
  if (!is_waiting(place) || server_->manner() == Manner::in_place) return resolve(missing);
  leave(place, "transformers that use other objects waited for one another too deep");
}

bool LazyConversion::needs_stop(const std::byte* page) const noexcept {
  Place place = place_of(page);
  return place.region->awaiting().chunk(place.slab) != Chunk::done &&
         !place.region->region().slab(place.slab).is_empty();
}

void LazyConversion::show_at(const std::byte* page) noexcept {
  if (is_done_) return;
  Place place = place_of(page);
  if (is_waiting(place)) server_->slab_stops().show(*place.region, place.slab);
}

bool LazyConversion::leave_rest() {
  for (Place place = next_waiting(); place.region != nullptr; place = next_waiting())
    leave(place, "the program could not be stopped to convert it");
  return true;
}

void LazyConversion::leave(const Place& place, const char* reason) {
  Slab& slab = place.region->region().slab(place.slab);
  SlabConversion chunk(*converter_, change_in(*place.region), slab, unwritten_, SlabConversion::Olds::kept);
  if (!place.region->awaiting().claim(place.slab)) return;
  chunk.leave(reason);
  count(chunk);
  tell();
  place.region->show(place.slab, server_->pages());
  close(place);
}

/// In a stop, by a thread for which it stands still. The moved bytes stay as they were until it is certain.
void LazyConversion::convert_in_place(const Place& place) {
  EvacuatedRegion& region = *place.region;
  Slab& slab = region.region().slab(place.slab);
  if (slab.is_empty()) return convert(place);
  Revocables revocable = revocable_if_need_be(place);
  const bool is_certain = revocable.empty();
  SlabConversion chunk(*converter_, change_in(region), slab, unwritten_, olds_of(revocable));
  const HeldSlab claim(server_->claims(), Manner::in_place);
  chunk.prepare_in_place();
  server_->slab_stops().hide_shown();  // it may be among them
  if (!region.awaiting().claim(place.slab)) return;
  is_certain ? region.bring_back_silently(place.slab, server_->pages())
             : region.show_silently(place.slab, server_->pages());
  chunk.run_in_place();
  server_->slab_stops().hide_shown();
  count(chunk);
  settle(place, chunk, std::move(revocable));
}

/// WaitForGraph and converts the chunk, unless somebody else has. Until it is certain a copy of the moved bytes is converted.
void LazyConversion::convert(const Place& place) {
  EvacuatedRegion& region = *place.region;
  Slab& slab = region.region().slab(place.slab);
  Revocables revocable = revocable_if_need_be(place);
  const bool is_certain = revocable.empty();
  SlabConversion chunk(*converter_, change_in(region), slab, unwritten_, olds_of(revocable));
  HeldSlab claim(server_->claims(), Manner::evacuated);
  std::byte* bytes = region.aside(slab.begin());
  std::unique_ptr<std::byte[]> copy;
  if (!is_certain) copy = std::make_unique<std::byte[]>(region.slab_size());
  if (!region.awaiting().claim(place.slab)) return;
  const bool is_empty = slab.is_empty();
  if (copy && !is_empty) bytes = static_cast<std::byte*>(std::memcpy(copy.get(), bytes, region.slab_size()));
  if (!is_empty) {
    claim.hold(slab.begin(), region.slab_size(), bytes);
    chunk.run(bytes, claim);
  }
  count(chunk);  // before anybody sees it
  if (server_->manner() == Manner::evacuated) tell();
  if (!is_empty && !claim.end())
    is_certain ? region.bring_back(place.slab, server_->pages())
               : server_->pages().fill(slab.begin(), region.slab_size(), bytes);
  settle(place, chunk, std::move(revocable));
}

/// One as long as it is not certain that nothing is undone. Throws std::bad_alloc.
LazyConversion::Revocables LazyConversion::revocable_if_need_be(const Place& place) const {
  return is_certain_ ? Revocables() : UndoLog::prepare(*place.region, place.slab);
}

SlabConversion::Olds LazyConversion::olds_of(const Revocables& revocable) noexcept {
  return revocable.empty() ? SlabConversion::Olds::ended : SlabConversion::Olds::kept;
}

/// The chunk is converted. What lies aside of it is the way back, if there is one.
void LazyConversion::settle(const Place& place, SlabConversion& chunk, Revocables revocable) noexcept {
  revocable.empty() ? place.region->forget(place.slab) : revocables_.add(std::move(revocable), chunk.take_words());
  close(place);
}

void LazyConversion::count(const SlabConversion& chunk) noexcept {
  counts_.add(chunk.converted(), chunk.failed());
  report_.add(chunk.failures());
}

/// The chunk's pages are there, or nothing is in it.
void LazyConversion::close(const Place& place) noexcept {
  place.region->awaiting().set(place.slab, Chunk::done);
  server_->pages().wake(place.region->region().slab(place.slab).begin(), place.region->slab_size());
  if (counts_.close_one() && is_certain_) finish();
}

/// Nothing is left to convert: the memory is as if it had never been moved.
void LazyConversion::finish() noexcept {
  if (is_finished_.exchange(true)) return;
  const std::shared_ptr<LazyConversion> alive = shared_from_this();
  for (EvacuatedRegion& region : regions_.places()) region.release(server_->pages());
  for (const PoolChange& pool : changes_) {
    pool.pool->drop_care(Pool::touch);
    if (pool.olds_are_others() && !counts_.has_failures()) pool.pool->drop_care(Pool::clear_other);
  }
  server_->remove(*this);
  is_done_ = true;
  is_done_.notify_all();
}

void LazyConversion::take_back() noexcept {
  // The new class's destructors may touch what is not converted yet.
  for (;;) {
    { const NoServiceWork until_all_is_told; }
    if (!revocables_.put_back()) break;
  }
  const NoServiceWork servers_stand_still;
  for (EvacuatedRegion& region : regions_.places()) {
    for (std::uint32_t slab = 0; slab < region.slabs_end(); ++slab) region.awaiting().set(slab, Chunk::done);
    region.move_back(server_->pages());
  }
  regions_.places().clear();
  for (const PoolChange& pool : changes_) {
    pool.pool->set_contents(pool.before);
    pool.pool->drop_care(Pool::touch);
  }
  server_->remove(*this);
  is_done_ = true;
  is_done_.notify_all();
}

void LazyConversion::end_olds(const StoppedWorld&) noexcept {
  if (is_certain_ || is_done_) return;
  {
    const NoServiceWork until_all_is_told;
    is_certain_ = true;
  }
  revocables_.end_olds();
  if (counts_.are_all_closed()) finish();
}

void LazyConversion::go_on() noexcept {
  if (untouched_ == Untouched::left || !is_certain_ || is_done_) return;
  try {
    server_->drain(shared_from_this());
  } catch (const std::exception& error) {
    Event event;
    event.kind = EventKind::warning;
    event.text = old_.readable + ": nobody converts the rest of its objects: " + error.what();
    event_log().publish(std::move(event));
  }
}

LazyConversion::Place LazyConversion::next_waiting() const noexcept {
  return regions_.places().first([this](const Place& place) { return is_waiting(place); });
}

void LazyConversion::drain() {
  while (!is_done_ && next_waiting().region != nullptr)
    server_->manner() == Manner::in_place ? drain_in_stops() : drain_beside();
  is_done_.wait(false);
}

/// Some chunks, while the program runs.
void LazyConversion::drain_beside() {
  let_stop_pass();
  const NoStop here;
  if (server_->manner() == Manner::in_place) return;  // that began in a stop
  const Place place = is_done_ ? Place{} : next_waiting();
  if (place.region != nullptr) convert(place);
}

/// Some chunks in one stop, which costs as much as a few of them.
void LazyConversion::drain_in_stops() {
  static constexpr std::chrono::microseconds long_enough{500};
  constexpr std::chrono::milliseconds longest_attempt{2000};
  let_stop_pass();
  server_->slab_stops().in_stop(longest_attempt, [this] {
    const auto until = std::chrono::steady_clock::now() + long_enough;
    do {
      const Place place = is_done_ ? Place{} : next_waiting();
      if (place.region == nullptr) return;
      convert_in_place(place);
    } while (std::chrono::steady_clock::now() < until);
  });
  tell();
}

void LazyConversion::drain(const StoppedWorld&) {
  const auto convert_one = [this](const Place& place) {
    server_->manner() == Manner::in_place ? convert_in_place(place) : convert(place);
  };
  if (is_done_) return;
  for (Place place = next_waiting(); place.region != nullptr; place = next_waiting()) convert_one(place);
  tell();
  const NoServiceWork what_the_stopper_touched_is_done;
}

std::string LazyConversion::describe() const {
  return "objects of " + old_.readable + " converted to " + new_.readable + " at their first use";
}

void LazyConversion::require_current() const {
  for (const PoolChange& pool : changes_) require_still(new_, *pool.pool);
}

bool LazyConversion::concerns(const ObjectClass& other) const noexcept {
  return std::any_of(changes_.begin(), changes_.end(),
                     [&](const PoolChange& each) { return each.after.usual == &other || each.after.other == &other; });
}

}  // namespace moult::internal
