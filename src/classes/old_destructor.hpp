// The destructor of a class as it is before the class is redefined, for old values that end afterwards.
#pragma once

#include <set>

#include "base/address.hpp"
#include "symbols/class_name.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

using Destructor = void (*)(void* object);

/// `destructor` of the class, by code that stays what it does now. `redefined`: the entries of all functions that are
/// redefined with it. Throws Error (unsupported) where it may call one of them, which would be another class's function
/// by then; unsupported_code, no_room, system where no such code can be made.
Destructor permanent_destructor(const Program& program, const FunctionSymbol& destructor, const ClassName& of_class,
                                const std::set<CodeAddress>& redefined);

}  // namespace moult::internal
