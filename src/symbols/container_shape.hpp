// The containers and smart pointers of libstdc++, by the debug information of a program.
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
  std::optional<Dwarf_Die> element;  ///< the target of a pointer; nothing for void
  std::string untyped;               ///< for Shape::untyped and Shape::choice, in the plural: what is not followed
};

/// How to walk over `type`, a class of `index`; nothing when it is not a known class of the library. A container whose
/// debug information is incomplete is untyped.
std::optional<ContainerShape> container_shape(const TypeIndex& index, const Dwarf_Die& type, std::string_view name);

/// The definition of the class that `type` declares, or `type`.
Dwarf_Die defined_class(const TypeIndex& index, const Dwarf_Die& type);

/// The types among a template instance's arguments, packs included.
std::vector<Dwarf_Die> template_arguments(const Dwarf_Die& type);

}  // namespace moult::internal
