#include "redefine/redefine_class.hpp"

#include <chrono>

#include "base/direct_change.hpp"
#include "base/transaction.hpp"
#include "data/pool.hpp"
#include "symbols/class_layout.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::redefine {

ClassRequest request_for(const detail::ClassPairing& pairing, const ClassRedefinition& options) {
  ClassRequest request;
  request.old_class = symbols::name_of_class(*pairing.old_class);
  request.fresh_class = symbols::name_of_class(*pairing.fresh_class);
  request.fresh_place = pairing.fresh_class;
  request.slot_alignment = pairing.old_alignment;
  if (pairing.pool != nullptr) {
    request.slot_size = pairing.pool->shape().slot_size();
    request.slot_alignment = pairing.pool->shape().slot_alignment();
  }
  request.fresh_alignment = pairing.fresh_alignment;
  request.destroy = pairing.destroy;
  request.construct = pairing.construct;
  for (const Redefinition& other : options.also) request.also.emplace_back(other.replaced(), other.replacement());
  if (options.unmatched == UnmatchedMembers::kept) request.unmatched = ClassRequest::Unmatched::kept;
  return request;
}

}  // namespace moult::redefine

namespace moult::detail {

namespace {

/// Objects that are made from now on are of another size, which the address sanitizer is to know.
void resize_new_objects(data::Pool& pool, std::size_t size, Transaction* transaction) {
  const std::size_t before = pool.object_size();
  if (transaction != nullptr)
    transaction->add({.what = {}, .check = {}, .undo = [&pool, before] { pool.set_object_size(before); }});
  pool.set_object_size(size);
}

}  // namespace

void redefine_class(const ClassPairing& pairing, const ClassRedefinition& options) {
  redefine::ClassChange change = redefine::ClassChange::prepare(redefine::request_for(pairing, options));
  const auto make = [&] {
    threads::in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = change.keep_out()},
                              [&](const threads::StoppedWorld& stopped) {
                                change.require_clear(stopped);
                                if (pairing.pool != nullptr)
                                  resize_new_objects(*pairing.pool, change.fresh_size(), Transaction::current());
                                change.commit(stopped, Transaction::current());
                              });
    if (Transaction::current() == nullptr) change.finish();
  };
  change_directly(make, [&change] { return change.lines(); });
}

}  // namespace moult::detail
