// The System V ABI passes by class: INTEGER and SSE are told here, all else is not needed.
#include "symbols/signature.hpp"

#include <dwarf.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "symbols/debug_info.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/location.hpp"

namespace moult::internal {
namespace {

constexpr std::uint64_t word = 8;  // bytes

Passing passing_of_base(Dwarf_Die type) {
  const std::uint64_t size = size_of_type(type);
  switch (number_of(type, DW_AT_encoding).value_or(0)) {
    case DW_ATE_boolean:
    case DW_ATE_signed:
    case DW_ATE_signed_char:
    case DW_ATE_unsigned:
    case DW_ATE_unsigned_char:
    case DW_ATE_UTF: return size <= word ? Passing::number : Passing::unknown;
    case DW_ATE_float: return size == 4 || size == word ? Passing::vector : Passing::unknown;
    default: return Passing::unknown;
  }
}

/// Declarations may leave out the name of `this`.
std::string_view name_of_parameter(Dwarf_Die parameter) {
  Dwarf_Attribute attribute{};
  const char* const name = dwarf_formstring(dwarf_attr_integrate(&parameter, DW_AT_name, &attribute));
  if (name != nullptr) return name;
  bool is_artificial = false;
  const bool is_object =
      dwarf_formflag(dwarf_attr_integrate(&parameter, DW_AT_artificial, &attribute), &is_artificial) == 0 &&
      is_artificial;
  return is_object ? "this" : "";
}

/// Of the type of a parameter, or of a subprogram's result.
Passing passing_of(const Dwarf_Die& die) {
  if (!type_of(die)) return Passing::nothing;
  std::optional<Dwarf_Die> type = bare_type_of(die);
  if (!type) return Passing::unknown;
  switch (dwarf_tag(&*type)) {
    case DW_TAG_base_type: return passing_of_base(*type);
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
    case DW_TAG_enumeration_type: return Passing::number;
    case DW_TAG_unspecified_type:  // or "auto"
      return plain_name_of(*type) == "decltype(nullptr)" ? Passing::number : Passing::unknown;
    default: return Passing::unknown;
  }
}

/// The register that has the parameter at `entry`, an address in its file.
std::optional<std::uint64_t> place_of(Dwarf_Die parameter, std::uint64_t entry) {
  Dwarf_Attribute attribute{};
  if (dwarf_attr(&parameter, DW_AT_location, &attribute) == nullptr) return std::nullopt;
  for (const LocationEntry& each : location_entries(attribute, 0))
    if (each.code.contains(CodeAddress{entry})) return register_named_by(each.expression);
  return std::nullopt;
}

std::vector<Dwarf_Die> parameters_of(const Dwarf_Die& subprogram) {
  std::vector<Dwarf_Die> parameters;
  for_each_child(subprogram, [&](Dwarf_Die child) {
    if (dwarf_tag(&child) == DW_TAG_formal_parameter) parameters.push_back(child);
  });
  return parameters;
}

}  // namespace

Signature signature_of(const Dwarf_Die& subprogram) {
  const std::vector<Dwarf_Die> parts = parts_of(subprogram);
  Signature signature;
  signature.result = passing_of(subprogram);
  if (const std::optional<Dwarf_Die> type = bare_type_of(subprogram)) signature.result_size = size_of_type(*type);
  signature.takes_object = std::any_of(parts.begin(), parts.end(),
                                       [](Dwarf_Die part) { return dwarf_hasattr(&part, DW_AT_object_pointer) != 0; });
  for_each_child(parts.back(),
                 [&](Dwarf_Die child) { signature.is_variadic |= dwarf_tag(&child) == DW_TAG_unspecified_parameters; });
  // The declaration may leave out names, and what was inlined may leave out parameters.
  const std::vector<Dwarf_Die> declared = parameters_of(parts.back());
  const std::vector<Dwarf_Die> defined = parameters_of(subprogram);
  Dwarf_Die code = subprogram;
  Dwarf_Addr entry = 0;
  const bool has_places = defined.size() == declared.size() && dwarf_lowpc(&code, &entry) == 0;
  for (const Dwarf_Die& each : has_places ? defined : declared)
    signature.parameters.push_back(
        {std::string(name_of_parameter(each)), passing_of(each), has_places ? place_of(each, entry) : std::nullopt});
  return signature;
}

}  // namespace moult::internal
