#include "convert/conversion_plan.hpp"

#include <optional>
#include <string>

#include "moult/error.hpp"
#include "pools/live_objects.hpp"

namespace moult::internal {
namespace {

void plan_after(const ClassChangeOfObjects& change, PoolChange& pool) {
  pool.after = pool.before;
  if (change.makes == Makes::new_objects && pool.before.usual == &change.from) {
    pool.after.usual = &change.to;
    pool.after.usual_size = change.to_kind.size;
  } else if (pool.before.usual == &change.to) {
    pool.clears_other = true;
  } else {
    pool.after.other = &change.to;
    pool.after.other_size = change.to_kind.size;
    pool.sets_other = true;
  }
}

}  // namespace

std::vector<PoolChange> plan_pool_changes(const ClassChangeOfObjects& change) {
  std::vector<PoolChange> changes;
  for (ClassPools* each : all_class_pools()) {
    std::optional<Portion> portion = each->own.portion_of(change.from);
    if (!portion) continue;
    changes.push_back({.pool = &each->own, .portion = *portion, .before = each->own.contents(), .after = {}});
    plan_after(change, changes.back());
  }
  return changes;
}

void require_two_classes(const ClassChangeOfObjects& change) {
  if (&change.from != &change.to) return;
  throw Error(ErrorCode::invalid_argument, change.from.name.text() +
                                               ": its objects are converted to a class of another "
                                               "name; give the new one its own");
}

void refuse_misfit(const ClassChangeOfObjects& change, const PoolChange& pool) {
  std::size_t slot_size = pool.pool->cut().slot_size;
  bool is_too_large = change.to_kind.size > slot_size;
  if (!is_too_large && slot_size % change.to_kind.alignment == 0) return;
  if (pool.after.usual == pool.before.usual && count_live(*pool.pool, pool.portion) == 0) return;
  const std::string& pool_class = pool.pool->object_class().name.text();
  const std::string reserve = std::to_string(change.to_kind.size - pool.pool->shape().object_size);
  if (is_too_large)
    throw Error(
        ErrorCode::layout_mismatch,
        change.to.name.text() + ": its objects need " + std::to_string(change.to_kind.size) +
            " bytes, and the slots of " + pool_class + " have " + std::to_string(slot_size) + "; give " + pool_class +
            " a reserve of " + reserve + " bytes where it is defined (moult::Updatable<" + pool_class + ", " + reserve +
            ">), for the program's next start, or keep what is new beside the objects (moult::add_field_to_class)");
  throw Error(ErrorCode::layout_mismatch, change.to.name.text() + ": its objects are aligned to " +
                                              std::to_string(change.to_kind.alignment) + " bytes, and the slots of " +
                                              pool_class + " to " +
                                              std::to_string(pool.pool->shape().slot_alignment()) +
                                              "; keep what is new beside the objects (moult::add_field_to_class)");
}

void refuse_third_class(const ClassChangeOfObjects& change, const PoolChange& pool, std::size_t converted_others) {
  const ObjectClass* other = pool.before.other;
  if (!pool.sets_other || other == nullptr || other == &change.to) return;
  if (count_live(*pool.pool, Portion::other) == converted_others) return;
  throw Error(ErrorCode::unsupported, change.to.name.text() + ": the pool of " + pool.pool->object_class().name.text() +
                                          " holds objects of two classes already, " + pool.before.usual->name.text() +
                                          " and " + other->name.text() +
                                          "; convert all of one of them first, or have the constructors redirected");
}

void refuse_third_class_meanwhile(const ClassChangeOfObjects& change, const PoolChange& pool) {
  const ObjectClass* usual = pool.after.usual;
  const ObjectClass* other = pool.before.other;
  const ObjectClass* third = usual != &change.from && usual != &change.to ? usual : other;
  if (third == nullptr || third == &change.from || third == &change.to) return;
  if (third == other && count_live(*pool.pool, Portion::other) == 0) return;
  throw Error(ErrorCode::unsupported, change.to.name.text() + ": the pool of " + pool.pool->object_class().name.text() +
                                          " holds objects of " + third->name.text() + " beside those of " +
                                          change.from.name.text() +
                                          ", and no third class while some are yet to be converted; convert all of " +
                                          third->name.text() + " first, or convert eagerly");
}

void require_still(const ObjectClass& converted_to, const Pool& pool) {
  if (pool.portion_of(converted_to)) return;
  throw Error(ErrorCode::unsupported, converted_to.name.text() + ": what was converted to it is of class " +
                                          pool.contents().usual->name.text() +
                                          " by now; roll back the update that did that first");
}

}  // namespace moult::internal
