// The two classes of a change as the loaded modules have them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "classes/loaded_updates.hpp"
#include "classes/member_matching.hpp"
#include "functions/function_change.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// What is asked for.
struct ClassRequest {
  ClassName old_class;
  ClassName replacement_class;
  /// Something of the module that defines the new class, such as its type_info: only its functions there are taken. The
  /// old class is what the other modules know by its name; the same module where no other knows it.
  const void* replacement_place = nullptr;
  /// Bytes that each object of the old class may take where it is; nothing when no object may grow.
  std::optional<std::size_t> slot_size;
  std::size_t slot_alignment = 0;         ///< what the addresses of the old class's objects are multiples of
  std::size_t replacement_alignment = 0;  ///< what the new class needs; 0 when it need not be looked at
  /// Functions that destroy an object and construct one by default, for where the new class's own have no code.
  const void* destroy = nullptr;
  const void* construct = nullptr;
  /// Other functions to redefine in the same go, such as those that use the class.
  std::vector<FunctionPair> also;
  /// Member functions of the old class that the new one does not have, and copies in callers.
  enum class Unmatched { refused, kept } unmatched = Unmatched::refused;
  /// What becomes of the objects of the old class in the same stop.
  enum class Objects { stay, converted } objects = Objects::stay;
  /// Old values are destroyed after that, while the program runs: old_destructor is wanted.
  bool ends_later = false;
};

struct ClassPair {
  ClassMembers old;
  ClassMembers replacement;
  std::optional<std::size_t> replacement_module;  ///< nothing when the old class is in the same
};

/// Throws Error: not_found, ambiguous.
ClassPair find_class_pair(const Program& program, const LoadedUpdates& updates, const ClassRequest& request);

}  // namespace moult::internal
