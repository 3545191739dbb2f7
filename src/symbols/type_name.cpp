// Compilers and the demangler spell types differently: g++ writes "long unsigned int" and "const char*", the demangler
// "unsigned long" and "char const*". So a template's name is composed from its arguments' DIEs. A class that is only
// declared has none, so its type is unknown.
#include "symbols/type_name.hpp"
#include "symbols/die_attributes.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace moult::internal {
namespace {

using Name = std::optional<std::string>;

Name name_of_type(std::optional<Dwarf_Die> type, int depth);

/// The type that the entry refers to; nothing when it is in a file that could not be opened.
Name name_of_its_type(const Dwarf_Die& die, int depth) {
  return is_type_in_sight(die) ? name_of_type(type_of(die), depth) : std::nullopt;
}

/// A parameter's own const is no part of a function's type.
std::string without_outer_qualifiers(std::string name) {
  for (const std::string_view qualifier : {" const", " volatile"})
    if (name.ends_with(qualifier)) name.resize(name.size() - qualifier.size());
  return name;
}

std::string base_name(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> spellings{{
      {"long int", "long"},
      {"long unsigned int", "unsigned long"},
      {"long long int", "long long"},
      {"long long unsigned int", "unsigned long long"},
      {"short int", "short"},
      {"short unsigned int", "unsigned short"},
      {"__int128 unsigned", "unsigned __int128"},
      {"_Bool", "bool"},
  }};
  for (const auto& [written, demangled] : spellings) {
    if (name == written) return std::string(demangled);
  }
  return std::string(name);
}

/// The end of the argument at `begin`: a comma or closing bracket outside of inner brackets.
std::size_t end_of_argument(std::string_view text, std::size_t begin) {
  int depth = 0;
  for (std::size_t at = begin; at < text.size(); ++at) {
    if (text[at] == '<' || text[at] == '(') ++depth;
    if ((text[at] == '>' || text[at] == ')') && --depth < 0) return at;
    if (text[at] == ',' && depth == 0) return at;
  }
  return text.size();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

Name respelt(std::string_view text, int depth);

/// Respells "A<const int>::B<long int>", without pointer marks and qualifiers around it.
Name respelt_class(std::string_view text, int depth) {
  std::string name;
  while (!text.empty()) {
    const std::size_t open = text.find('<');
    name += text.substr(0, open);
    if (open == std::string_view::npos) return base_name(name);
    std::size_t at = open;
    do {
      const std::size_t end = end_of_argument(text, at + 1);
      const Name argument = respelt(trimmed(text.substr(at + 1, end - at - 1)), depth + 1);
      if (!argument || end >= text.size()) return std::nullopt;
      name += (at == open ? "<" : ", ") + *argument;
      at = end;
    } while (text[at] == ',');
    name += name.back() == '>' ? " >" : ">";
    text.remove_prefix(at + 1);
  }
  return name;
}

/// Respells a compiler's type as the demangler does: "const A<long int>*" becomes "A<long> const*".
Name respelt(std::string_view text, int depth) {
  constexpr int deepest = 40;
  constexpr std::string_view anonymous = "(anonymous namespace)";
  const bool is_const = take_prefix(text, "const ");
  const bool is_number = text.empty() || (text.front() >= '0' && text.front() <= '9') || text.front() == '-';
  const std::size_t bracket = text.find('(');
  if (is_number || depth > deepest) return std::nullopt;
  if (bracket != std::string_view::npos && text.substr(bracket, anonymous.size()) != anonymous) return std::nullopt;
  const std::size_t class_end = text.rfind('>') == std::string_view::npos ? 0 : text.rfind('>') + 1;
  const std::size_t marks =
      std::min({text.find('*', class_end), text.find('&', class_end), text.find(" const", class_end), text.size()});
  const Name name = respelt_class(trimmed(text.substr(0, marks)), depth);
  if (!name) return std::nullopt;
  return *name + (is_const ? " const" : "") + std::string(text.substr(marks));
}

/// A constant template argument: "5", "5ul", "true". The demangler writes other types with a cast.
Name name_of_value(Dwarf_Die parameter, int depth) {
  const Name type = name_of_its_type(parameter, depth);
  Dwarf_Attribute attribute{};
  Dwarf_Sword number = 0;
  if (!type || dwarf_formsdata(dwarf_attr(&parameter, DW_AT_const_value, &attribute), &number) != 0)
    return std::nullopt;
  if (*type == "bool") return number != 0 ? "true" : "false";
  Dwarf_Word positive = 0;
  const bool is_unsigned = type->starts_with("unsigned ") && dwarf_formudata(&attribute, &positive) == 0;
  const std::string digits = is_unsigned ? std::to_string(positive) : std::to_string(number);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> suffixes{{
      {"int", ""},
      {"unsigned int", "u"},
      {"long", "l"},
      {"unsigned long", "ul"},
      {"long long", "ll"},
      {"unsigned long long", "ull"},
  }};
  for (const auto& [integer, suffix] : suffixes) {
    if (*type == integer) return digits + std::string(suffix);
  }
  return "(" + *type + ")" + digits;
}

/// Appends the arguments among the children of `die` to `list`, separated by ", "; false when one has no name.
bool add_template_arguments(Dwarf_Die die, std::string& list, int depth) {
  Dwarf_Die child{};
  if (dwarf_child(&die, &child) != 0) return true;
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_GNU_template_parameter_pack && !add_template_arguments(child, list, depth)) return false;
    if (tag == DW_TAG_GNU_template_template_param) return false;
    if (tag != DW_TAG_template_type_parameter && tag != DW_TAG_template_value_parameter) continue;
    const bool is_type = tag == DW_TAG_template_type_parameter;
    const Name name = is_type ? name_of_its_type(child, depth) : name_of_value(child, depth);
    if (!name) return false;
    if (!list.empty()) list += ", ";
    list += *name;
  } while (dwarf_siblingof(&child, &child) == 0);
  return true;
}

/// The last component of the name of a class or enumeration.
Name own_name(Dwarf_Die type, int depth) {
  type = referred_by(type, DW_AT_signature).value_or(type);
  const char* text = dwarf_diename(&type);
  if (text == nullptr) return std::nullopt;
  const std::string_view written(text);
  const std::size_t open = written.find('<');
  if (open == std::string_view::npos) return std::string(written);
  std::string arguments;
  if (open == 0 || !add_template_arguments(type, arguments, depth)) return std::nullopt;
  if (arguments.empty()) return respelt(written, depth);
  const char* close = arguments.back() == '>' ? " >" : ">";
  return std::string(written.substr(0, open)) + "<" + arguments + close;
}

Name qualified_name_of(Dwarf_Die type, int depth) {
  type = referred_by(type, DW_AT_signature).value_or(type);      // a stand-in for a type unit's type
  type = referred_by(type, DW_AT_specification).value_or(type);  // a nested class with a separate definition
  Dwarf_Die* found = nullptr;
  const int count = dwarf_getscopes_die(&type, &found);
  const std::unique_ptr<Dwarf_Die, decltype(&std::free)> scopes(found, &std::free);
  std::string name;
  for (int i = 0; i < count; ++i) {
    Dwarf_Die& scope = scopes.get()[i];
    const int tag = dwarf_tag(&scope);
    Name part;
    if (tag == DW_TAG_compile_unit || tag == DW_TAG_type_unit || tag == DW_TAG_partial_unit) break;
    if (tag == DW_TAG_namespace) {
      const char* text = dwarf_diename(&scope);
      part = text != nullptr ? text : "(anonymous namespace)";
    } else if (tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
               tag == DW_TAG_enumeration_type) {
      part = own_name(scope, depth);
    }
    if (!part) return std::nullopt;  // inside a function
    if (!name.empty()) part->append("::").append(name);
    name = *std::move(part);
  }
  return name.empty() ? std::nullopt : Name(name);
}

/// The type of the object parameter in a method's type.
std::optional<Dwarf_Die> object_of_type(Dwarf_Die type) {
  Dwarf_Die child{};
  Dwarf_Attribute attribute{};
  bool is_artificial = false;
  if (dwarf_tag(&type) != DW_TAG_subroutine_type || dwarf_child(&type, &child) != 0 ||
      dwarf_formflag(dwarf_attr(&child, DW_AT_artificial, &attribute), &is_artificial) != 0 || !is_artificial)
    return std::nullopt;
  return child;
}

/// In C, `int f()` says nothing of the parameters.
bool says_nothing_of_parameters(Dwarf_Die function) {
  Dwarf_Die unit{};
  if (dwarf_hasattr(&function, DW_AT_prototyped) != 0 || dwarf_diecu(&function, &unit, nullptr, nullptr) == nullptr)
    return false;
  const int language = dwarf_srclang(&unit);
  return language == DW_LANG_C || language == DW_LANG_C89 || language == DW_LANG_C99 || language == DW_LANG_C11;
}

/// "(A, B)" of a function or function type.
Name list_of_parameters(Dwarf_Die function, int depth) {
  if (dwarf_tag(&function) == DW_TAG_subroutine_type && says_nothing_of_parameters(function)) return std::nullopt;
  std::string parameters;
  Dwarf_Die child{};
  const std::optional<Dwarf_Die> object = object_of_type(function);
  for (bool more = dwarf_child(&function, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0) {
    const int tag = dwarf_tag(&child);
    if (tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters) continue;
    if (object && object->addr == child.addr) continue;
    const Name name = tag == DW_TAG_formal_parameter ? name_of_its_type(child, depth) : Name("...");
    if (!name) return std::nullopt;
    parameters += (parameters.empty() ? "" : ", ") + without_outer_qualifiers(*name);
  }
  return "(" + parameters + ")";
}

/// "R (*)(A, B)", with `mark` the star.
Name name_of_function_pointer(const Dwarf_Die& function, const std::string& mark, int depth) {
  const Name result = name_of_its_type(function, depth);
  const Name parameters = list_of_parameters(function, depth);
  return result && parameters ? Name(*result + " (" + mark + ")" + *parameters) : std::nullopt;
}

Name name_of_pointer(Dwarf_Die pointer, const std::string& mark, int depth) {
  if (!is_type_in_sight(pointer)) return std::nullopt;
  std::optional<Dwarf_Die> target = type_of(pointer);
  if (target && dwarf_tag(&*target) == DW_TAG_subroutine_type) return name_of_function_pointer(*target, mark, depth);
  if (target && dwarf_tag(&*target) == DW_TAG_array_type) return std::nullopt;
  const Name name = name_of_type(target, depth);
  if (!name) return std::nullopt;
  // In a pointer to a pointer to a function the stars are adjacent.
  const std::size_t inner = name->find("*)(");
  return inner == std::string::npos ? *name + mark : name->substr(0, inner + 1) + mark + name->substr(inner + 1);
}

/// The number of elements in a DW_TAG_subrange_type; "" without one.
std::string count_of(Dwarf_Die range) {
  Dwarf_Attribute attribute{};
  Dwarf_Word number = 0;
  if (dwarf_formudata(dwarf_attr(&range, DW_AT_count, &attribute), &number) == 0) return std::to_string(number);
  if (dwarf_formudata(dwarf_attr(&range, DW_AT_upper_bound, &attribute), &number) == 0)
    return std::to_string(number + 1);
  return {};
}

/// " const" of a method's type.
Name qualifiers_of_method(const Dwarf_Die& type, int depth) {
  const std::optional<Dwarf_Die> object = object_of_type(type);
  const std::optional<Dwarf_Die> pointer = object ? type_of(*object) : std::nullopt;
  if (!pointer) return std::nullopt;
  Dwarf_Die method = type;
  if (dwarf_hasattr(&method, DW_AT_reference) != 0 || dwarf_hasattr(&method, DW_AT_rvalue_reference) != 0)
    return std::nullopt;
  // The const of `this` itself is not part of the name.
  std::optional<Dwarf_Die> plain = pointer;
  while (plain && dwarf_tag(&*plain) == DW_TAG_const_type) plain = type_of(*plain);
  const Name name = plain ? name_of_its_type(*plain, depth) : std::nullopt;
  if (!name) return std::nullopt;
  const bool is_const = name->ends_with(" const") || name->ends_with(" const volatile");
  return std::string(is_const ? " const" : "") + (name->ends_with(" volatile") ? " volatile" : "");
}

/// "int app::Data::*", "int (app::Data::*)(int) const".
Name name_of_member_pointer(Dwarf_Die pointer, int depth) {
  const std::optional<Dwarf_Die> around = referred_by(pointer, DW_AT_containing_type);
  std::optional<Dwarf_Die> target = type_of(pointer);
  const Name owner = around ? name_of_type(around, depth) : std::nullopt;
  if (!owner || !target) return std::nullopt;
  if (dwarf_tag(&*target) == DW_TAG_subroutine_type) {
    const Name plain = name_of_function_pointer(*target, *owner + "::*", depth);
    const Name qualifiers = qualifiers_of_method(*target, depth);
    return plain && qualifiers ? Name(*plain + *qualifiers) : std::nullopt;
  }
  const Name name = name_of_type(target, depth);
  return name ? Name(*name + " " + *owner + "::*") : std::nullopt;
}

/// "T const volatile": the order is the demangler's, whatever the nesting.
Name name_of_qualified(Dwarf_Die type, int depth) {
  bool is_const = false;
  bool is_volatile = false;
  std::optional<Dwarf_Die> inner = type;
  for (int tag = dwarf_tag(&type); tag == DW_TAG_const_type || tag == DW_TAG_volatile_type;) {
    (tag == DW_TAG_const_type ? is_const : is_volatile) = true;
    if (!is_type_in_sight(*inner)) return std::nullopt;
    inner = type_of(*inner);
    tag = inner ? dwarf_tag(&*inner) : 0;
  }
  const Name name = name_of_type(inner, depth);
  if (!name || name->find("*)(") != std::string::npos) return std::nullopt;
  return *name + (is_const ? " const" : "") + (is_volatile ? " volatile" : "");
}

/// "int [2][3]".
Name name_of_array(Dwarf_Die array, int depth) {
  const Name element = name_of_its_type(array, depth);
  if (!element) return std::nullopt;
  std::string bounds;
  Dwarf_Die child{};
  for (bool more = dwarf_child(&array, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0) {
    if (dwarf_tag(&child) == DW_TAG_subrange_type) bounds += "[" + count_of(child) + "]";
  }
  // The element type may be an array with a typedef's name.
  const std::size_t inner = element->ends_with(']') ? element->find('[') : std::string::npos;
  return inner == std::string::npos ? *element + " " + bounds
                                    : element->substr(0, inner) + bounds + element->substr(inner);
}

Name name_of_type(std::optional<Dwarf_Die> type, int depth) {
  constexpr int deepest = 40;  // a damaged file may have a cycle
  constexpr std::string_view nullptr_type = "decltype(nullptr)";
  if (!type) return "void";
  if (depth > deepest) return std::nullopt;
  const char* name = dwarf_diename(&*type);
  const std::string_view text = name != nullptr ? name : "";
  switch (dwarf_tag(&*type)) {
    case DW_TAG_base_type: return text.empty() ? std::nullopt : Name(base_name(text));
    case DW_TAG_unspecified_type: return text == nullptr_type ? Name(nullptr_type) : std::nullopt;  // or "auto"
    case DW_TAG_typedef: return name_of_its_type(*type, depth + 1);
    case DW_TAG_const_type:
    case DW_TAG_volatile_type: return name_of_qualified(*type, depth + 1);
    case DW_TAG_pointer_type: return name_of_pointer(*type, "*", depth + 1);
    case DW_TAG_reference_type: return name_of_pointer(*type, "&", depth + 1);
    case DW_TAG_rvalue_reference_type: return name_of_pointer(*type, "&&", depth + 1);
    case DW_TAG_array_type: return name_of_array(*type, depth + 1);
    case DW_TAG_ptr_to_member_type: return name_of_member_pointer(*type, depth + 1);
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type: return qualified_name_of(*type, depth + 1);
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> result_type_of(const Dwarf_Die& subprogram) { return name_of_its_type(subprogram, 0); }

std::optional<std::string> parameter_types_of(const Dwarf_Die& subprogram) { return list_of_parameters(subprogram, 0); }

std::optional<std::string> type_name_of(const Dwarf_Die& variable) { return name_of_its_type(variable, 0); }

std::optional<std::string> name_of_type_entry(const Dwarf_Die& type) { return name_of_type(type, 0); }

std::optional<std::string> class_name_of(const Dwarf_Die& type) { return qualified_name_of(type, 0); }

}  // namespace moult::internal
