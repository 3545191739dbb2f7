#include "classes/redefine_class.hpp"

#include <chrono>
#include <string>

#include "base/opaque.hpp"
#include "base/transaction.hpp"
#include "base/untracked_change.hpp"
#include "moult/error.hpp"
#include "pools/live_objects.hpp"
#include "pools/pool.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

ClassRequest request_for(const detail::ClassPairing& pairing, const ClassRedefinition& options) {
  ClassRequest request;
  request.old_class = ClassName(*pairing.old_class);
  request.replacement_class = ClassName(*pairing.new_class);
  request.replacement_place = pairing.new_class;
  request.slot_alignment = pairing.old_alignment;
  if (pairing.pool != nullptr) {
    const auto& pool = behind<Pool>(*pairing.pool);
    request.slot_size = pool.shape().slot_size();
    request.slot_alignment = pool.shape().slot_alignment();
  }
  request.replacement_alignment = pairing.new_alignment;
  request.destroy = pairing.destroy;
  request.construct = pairing.construct;
  for (const Redefinition& other : options.also) request.also.emplace_back(other.replaced(), other.replacement());
  if (options.unmatched == UnmatchedMembers::kept) request.unmatched = ClassRequest::Unmatched::kept;
  return request;
}

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

namespace {

/// Objects that are made from now on are of another size, which the address sanitizer is to know.
void resize_new_objects(internal::Pool& pool, std::size_t size, internal::Transaction* transaction) {
  const std::size_t before = pool.object_size();
  if (transaction != nullptr)
    transaction->add({.what = {}, .check = {}, .undo = [&pool, before] { pool.set_object_size(before); }});
  pool.set_object_size(size);
}

/// Objects that live would keep a table in which the new virtual functions are missing.
void require_no_objects(const internal::Pool& pool, const internal::ClassChange& change) {
  const internal::ObjectClass& old = pool.object_class();
  std::size_t live = 0;
  for (const internal::Source& source : internal::sources_of(old, Subclasses::included))
    live += internal::count_live(*source.pool, source.portion);
  if (live == 0) return;
  throw Error(ErrorCode::layout_mismatch,
              old.name.text() + ": " + std::to_string(live) + (live == 1 ? " object lives" : " objects live") +
                  " whose table of virtual functions lacks the new ones:\n" + internal::describe(change.layout()) +
                  "\nconvert them first, in the same update (moult::EagerConversionUpdate with .rebind does both), "
                  "or make the new functions non-virtual");
}

}  // namespace

void redefine_class(const ClassPairing& pairing, const ClassRedefinition& options) {
  internal::ClassChange change = internal::ClassChange::prepare(internal::request_for(pairing, options));
  const auto make = [&] {
    internal::in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = change.keep_out()},
                               [&](const internal::StoppedWorld& stopped) {
                                 change.require_clear(stopped);
                                 if (pairing.pool != nullptr && change.adds_virtual_functions())
                                   require_no_objects(internal::behind<internal::Pool>(*pairing.pool), change);
                                 if (pairing.pool != nullptr)
                                   resize_new_objects(internal::behind<internal::Pool>(*pairing.pool),
                                                      change.replacement_size(), internal::Transaction::current());
                                 change.commit(stopped, internal::Transaction::current());
                               });
    if (internal::Transaction::current() == nullptr) change.finish();
  };
  internal::change_untracked(make, [&change] { return change.lines(); });
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
