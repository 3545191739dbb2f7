// What a conversion does to the pools: which hold objects of the old class, and what they hold afterwards.
#pragma once

#include <cstddef>
#include <vector>

#include "moult/detail/conversion.hpp"
#include "pools/class_pools.hpp"

namespace moult::internal {

/// What code that is not replaced makes from now on: objects of the old class, or, its constructors being redirected,
/// of the new one.
enum class Makes { old_objects, new_objects };

struct PoolChange {
  Pool* pool = nullptr;
  Portion portion = Portion::all;  ///< which of its objects are of the old class
  Contents before;
  Contents after;
  bool sets_other = false;  ///< the converted ones' `other` bits are set
  bool clears_other = false;

  /// While objects of both classes lie in the pool, those of the old class are the others.
  bool olds_are_others() const noexcept { return !sets_other; }
};

struct ClassChangeOfObjects {
  const ObjectClass& from;
  const ObjectClass& to;
  detail::ObjectKind to_kind;
  Makes makes;
};

/// One for each pool in which objects of the old class may lie. Exact only in a stopped program.
std::vector<PoolChange> plan_pool_changes(const ClassChangeOfObjects& change);

/// Throws Error (invalid_argument) when both have one name.
void require_two_classes(const ClassChangeOfObjects& change);

/// Throws Error (layout_mismatch) when the pool holds objects to convert, or will, and new ones do not fit its slots.
void refuse_misfit(const ClassChangeOfObjects& change, const PoolChange& pool);

/// Throws Error (unsupported) when the pool would hold objects of three classes. `converted_others` of its other ones
/// are to be converted. In a stopped program.
void refuse_third_class(const ClassChangeOfObjects& change, const PoolChange& pool, std::size_t converted_others);

/// The same where the objects wait to be converted: the pool tells two classes apart, and those are the old and the new
/// one for as long as the conversion goes on.
void refuse_third_class_meanwhile(const ClassChangeOfObjects& change, const PoolChange& pool);

/// Throws Error (unsupported) when what the pool holds and was converted to that class is of yet another one by now.
void require_still(const ObjectClass& converted_to, const Pool& pool);

}  // namespace moult::internal
