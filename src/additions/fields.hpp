// Added fields, by class and name.
#pragma once

#include <memory>

#include "moult/detail/additions.hpp"
#include "pools/object_class.hpp"
#include "pools/side_table.hpp"

namespace moult::internal {

/// "the field origin of Data".
std::string describe_field(const detail::FieldKind& kind);

/// Throws Error (invalid_argument) when the class has a field of that name with another type, or one that a new field
/// may not replace.
void refuse_second_field(const detail::FieldKind& kind);
/// Whether a field reserves its name while it has no values.
enum class Keeps { always, while_used };
/// Registers the field. Throws as refuse_second_field does; std::bad_alloc. The process then owns the table.
SideTable& add_field(const detail::FieldKind& kind, std::unique_ptr<SideTable> table, Keeps keeps);
/// Unregisters the field. Does nothing when it is not registered.
void remove_field(const SideTable& table) noexcept;

/// Null when the class has no field of that name. Throws Error (invalid_argument) when its type is another one. The
/// module that asks counts as a user of the table from now on.
SideTable* find_field(const detail::FieldKind& kind);

}  // namespace moult::internal
