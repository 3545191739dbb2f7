// Which classes are redefined as which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/transaction.hpp"
#include "symbols/class_layout.hpp"

namespace moult::internal {

/// An active redefinition of a class.
struct RedefinedClass {
  ClassName old_class;
  ClassLayout replacement;
  std::size_t old_size = 0;              ///< bytes of an object of the old class
  SourceLine old_place;                  ///< where the old class is defined
  std::optional<std::size_t> slot_size;  ///< bytes that each object of the old class may take; nothing: not to grow
};

/// The redefinitions that led to this class, back to the first: a Data_v2 is also what code that knows Data makes and
/// uses.
std::vector<RedefinedClass> predecessors_of(const ClassName& name);
/// What the class is redefined as, and what that is redefined as in turn.
std::vector<RedefinedClass> successors_of(const ClassName& name);

/// To be called in the stop in which the class is redefined. It goes with `transaction`; without one it stays, unless
/// it is forgotten by the number returned. Throws std::bad_alloc.
std::uint64_t note_redefined(RedefinedClass redefined, Transaction* transaction);
void forget_redefined(std::uint64_t number) noexcept;

}  // namespace moult::internal
