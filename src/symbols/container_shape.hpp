// The containers and smart pointers of libstdc++, as the debug information of a program describes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "symbols/heap_type.hpp"
#include "symbols/type_index.hpp"

namespace moult::internal {

struct ContainerShape {
  Shape shape = Shape::leaf;
  Places at;
  Pointing pointing = Pointing::raw;
  std::optional<Dwarf_Die> element;  ///< what a pointer points to; nothing for void
  std::string untyped;               ///< in the plural, of Shape::untyped and Shape::choice: what is not followed
};

/// How `type`, a class of `index`, is to be walked over; nothing when it is no class of the library that this knows. A
/// container of which the debug information does not say enough is untyped.
std::optional<ContainerShape> container_shape(const TypeIndex& index, const Dwarf_Die& type, std::string_view name);

/// The definition of a class that `type` may only declare, or `type`.
Dwarf_Die defined_class(const TypeIndex& index, const Dwarf_Die& type);

/// The types that are the arguments of a template's instance, those of packs included.
std::vector<Dwarf_Die> template_arguments(const Dwarf_Die& type);

}  // namespace moult::internal
