#include "redefine/redefine_class.hpp"

#include "data/pool.hpp"
#include "symbols/class_layout.hpp"

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

void redefine_class(const ClassPairing& pairing, const ClassRedefinition& options) {
  redefine::ClassChange::prepare(redefine::request_for(pairing, options)).commit_now();
}

}  // namespace moult::detail
