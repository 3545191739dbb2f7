// Two layouts of a class, and whether code compiled with the one can use objects of the other. Pure: no program is
// read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/class_layout.hpp"

namespace moult::internal {

enum class DifferenceKind {
  field_added,
  field_removed,
  field_renamed,
  field_moved,
  field_retyped,
  base_added,
  base_removed,
  base_changed,
  became_virtual,  ///< the objects have a vtable pointer now
  became_plain,    ///< they had one
  function_moved,  ///< a virtual function has another place in the vtable, or none any more
  function_added,  ///< a virtual function behind the old ones
  resized,         ///< the size, for no other reason than those above, or the alignment
};

/// The kind's name as it stands in the enumeration.
std::string_view name_of(DifferenceKind kind) noexcept;

struct LayoutDifference {
  DifferenceKind kind{};
  std::string text;                     ///< for the reader: "moved: long count, from 8 to 16"
  bool is_append = false;               ///< code that knows the old layout alone is not concerned
  std::optional<std::uint64_t> slot{};  ///< of an added virtual function, in the vtable
  auto operator<=>(const LayoutDifference&) const = default;
};

enum class LayoutVerdict {
  identical,
  append_only,  ///< all that was is where it was, and what is new is behind
  incompatible,
};

struct LayoutComparison {
  LayoutVerdict verdict = LayoutVerdict::identical;
  std::vector<LayoutDifference> differences;
};

/// Fields are told apart by name. A pointer to `replacement` in `replacement` counts as the pointer to `old` in `old`;
/// bases that have no data are of no matter.
LayoutComparison compare_layouts(const ClassLayout& old, const ClassLayout& replacement);

/// The differences, a line each.
std::string describe(const LayoutComparison& comparison);

}  // namespace moult::internal
