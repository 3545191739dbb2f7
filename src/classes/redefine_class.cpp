#include "classes/redefine_class.hpp"

#include <chrono>
#include <memory>
#include <string>

#include "base/opaque.hpp"
#include "base/transaction.hpp"
#include "base/untracked_change.hpp"
#include "functions/prepared_redefinition.hpp"
#include "moult/error.hpp"
#include "pools/class_pools.hpp"
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
    inherit_slot_size(object_class_of(*pairing.new_class), pool.shape().slot_size());
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

class PreparedClass final : public internal::PreparedRedefinition {
 public:
  PreparedClass(const ClassPairing& pairing, const ClassRedefinition& options)
      : pool_(pairing.pool != nullptr ? &internal::behind<internal::Pool>(*pairing.pool) : nullptr),
        change_(internal::ClassChange::prepare(internal::request_for(pairing, options))) {}

  void make() override {
    const auto commit = [this] {
      internal::in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = change_.keep_out()},
                                 [this](const internal::StoppedWorld& stopped) { make(stopped); });
      if (internal::Transaction::current() == nullptr) change_.finish();
    };
    internal::change_untracked(commit, [this] { return change_.lines(); });
  }

 private:
  void make(const internal::StoppedWorld& stopped) {
    change_.require_clear(stopped);
    internal::Transaction* const transaction = internal::Transaction::current();
    if (pool_ != nullptr && change_.adds_virtual_functions()) require_no_objects(*pool_, change_);
    if (pool_ != nullptr) resize_new_objects(*pool_, change_.replacement_size(), transaction);
    change_.commit(stopped, transaction);
  }

  internal::Pool* pool_;
  internal::ClassChange change_;
};

}  // namespace

void redefine_class(const ClassPairing& pairing, const ClassRedefinition& options) {
  PreparedClass(pairing, options).make();
}

std::shared_ptr<OpaquePreparedRedefinition> prepare_class(const ClassPairing& pairing,
                                                          const ClassRedefinition& options) {
  return std::make_shared<PreparedClass>(pairing, options);
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
