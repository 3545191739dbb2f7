// The effect of a conversion on the pools: which of them hold objects of the old class, and what they hold afterwards.
//
// A pool tells two classes apart, by one bit for each slot. So a conversion that would leave a pool with objects of
// three classes is refused.
#pragma once

#include <cstddef>
#include <vector>

#include "moult/detail/conversion.hpp"
#include "pools/class_pools.hpp"

namespace moult::internal {

/// The class of the objects that unreplaced code makes after the conversion: the old one, or the new one, where the old
/// class's constructors are redirected.
enum class Makes { old_objects, new_objects };

struct PoolChange {
  Pool* pool = nullptr;
  Portion portion = Portion::all;  ///< its objects of the old class
  Contents before;
  Contents after;
  bool sets_other = false;    ///< the `other` bits of converted objects are set
  bool clears_other = false;  ///< … are cleared

  /// While the pool holds objects of both classes, the set bits mark the old ones.
  bool olds_are_others() const noexcept { return !sets_other; }
};

struct ClassChangeOfObjects {
  const ObjectClass& from;
  const ObjectClass& to;
  detail::ObjectKind to_kind;
  Makes makes;
};

/// One change for each pool that may hold objects of the old class. Exact only in a stopped program.
std::vector<PoolChange> plan_pool_changes(const ClassChangeOfObjects& change);

/// Throws Error (invalid_argument) when both classes have one name.
void require_two_classes(const ClassChangeOfObjects& change);

/// Throws Error (layout_mismatch) when new objects do not fit the pool's slots, and the pool has objects to convert or
/// will hold new ones.
void refuse_misfit(const ClassChangeOfObjects& change, const PoolChange& pool);

/// Throws Error (unsupported) when the pool would hold objects of three classes after an eager conversion, which
/// converts `converted_others` of the objects with an `other` bit. In a stopped program.
void refuse_third_class(const ClassChangeOfObjects& change, const PoolChange& pool, std::size_t converted_others);

/// The same for a lazy conversion: the pool holds objects of the old and the new class until the conversion is done.
void refuse_third_class_meanwhile(const ClassChangeOfObjects& change, const PoolChange& pool);

/// Throws Error (unsupported) when the pool's objects, once converted to that class, are of another class by now.
void require_still(const ObjectClass& converted_to, const Pool& pool);

}  // namespace moult::internal
