// What conversions at first use and progressive accesses have left, done before something else begins.
#pragma once

#include "pools/object_class.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// Converts what earlier conversions have left that have to do with pools which hold objects of the class, before
/// another one begins. Throws std::bad_alloc.
void finish_lazy_conversions(const ObjectClass& old_class);
/// The same in a stop. Throws Error (unsupported) as well, when one began in this very stop and may still be undone.
void finish_lazy_conversions(const ObjectClass& old_class, const StoppedWorld& stopped);
/// Converts whatever conversions have left, of any class. Throws std::bad_alloc.
void finish_lazy_conversions();
/// The same in a stop; those that began in it may still be undone.
void finish_lazy_conversions(const StoppedWorld& stopped);

/// Visits what accesses have left that have to do with pools which hold objects of the class, or has it ready to be
/// taken: before all of them are converted. Throws Error (thread_unstoppable), std::bad_alloc.
void finish_progressive_accesses(const ObjectClass& converted);
/// The same in a stop.
void finish_progressive_accesses(const ObjectClass& converted, const StoppedWorld& stopped);

}  // namespace moult::internal
