// Fields that were added to classes, by class and name.
#pragma once

#include <memory>

#include "moult/detail/additions.hpp"
#include "pools/object_class.hpp"
#include "pools/side_table.hpp"

namespace moult::internal {

/// "the field origin of Data".
std::string describe_field(const detail::FieldKind& kind);

/// Throws Error (invalid_argument) when the class has a field of that name: one of another type, or one that a new one
/// may not take the place of.
void refuse_second_field(const detail::FieldKind& kind);
/// Whether a field keeps its name for itself also while it has no values.
enum class Keeps { always, while_used };
/// The field is found from now on. Throws as refuse_second_field does; std::bad_alloc. The table is the process's then.
SideTable& add_field(const detail::FieldKind& kind, std::unique_ptr<SideTable> table, Keeps keeps);
/// It is not any more; nothing when it is not now.
void remove_field(const SideTable& table) noexcept;

/// Null when the class has no field of that name. Throws Error (invalid_argument) when its type is another one. The
/// module that asks is a user of the table from now on.
SideTable* find_field(const detail::FieldKind& kind);

}  // namespace moult::internal
