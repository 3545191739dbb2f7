// Limits: a class that only the new source knows of is not compared with the program's other sources.
#include "diff/type_comparison.hpp"

#include <dwarf.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/names.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/type_name.hpp"

namespace moult::internal::diff {
namespace {

constexpr int deepest = 100;  // only damaged files nest deeper

/// By their names with scopes.
struct Types {
  std::map<std::string, std::vector<Dwarf_Die>> classes;
  std::map<std::string, std::vector<Dwarf_Die>> closures;                   ///< by the function around them
  std::map<std::string, std::map<std::string, std::int64_t>> enumerations;  ///< and the values of their names
  std::map<std::string, std::vector<std::string>> variables;                ///< and their types
  std::set<std::uint64_t> plain;                                            ///< as TypeComparison's
  std::map<std::string, int> statics;                                       ///< of functions, counted
  bool has_functions = false;
  bool has_any = false;
};

/// g++ calls the class "<lambda(int)>", clang gives it no name.
bool is_closure(Dwarf_Die type) {
  const std::string_view name = plain_name_of(type);
  if (!name.empty()) return name.starts_with("<lambda");
  bool has_call_operator = false;
  for_each_child(type, [&](Dwarf_Die& child) { has_call_operator |= plain_name_of(child) == "operator()"; });
  return has_call_operator;
}

bool is_of_the_system(const Dwarf_Die& type, std::string_view scope) {
  const std::string file = file_named_by(type, DW_AT_decl_file);  // not known of units in .dwo files
  return file.empty() ? scope.starts_with("std::") || scope.starts_with("__gnu_cxx::") : file.starts_with("/usr/");
}

std::string scope_of_function(Dwarf_Die function, const std::string& around) {
  const std::string_view mangled = linkage_name_of(parts_of(function));
  if (!mangled.empty()) return demangle(std::string(mangled)) + "::";
  return around + std::string(plain_name_of(function)) + "()::";
}

/// The class without a name of its own that the entry's type is, through typedefs and arrays.
std::optional<Dwarf_Die> unnamed_class_of(const Dwarf_Die& entry) {
  std::optional<Dwarf_Die> type = bare_type_of(entry);
  while (type && dwarf_tag(&*type) == DW_TAG_array_type) type = bare_type_of(*type);
  if (!type || !is_class_tag(dwarf_tag(&*type)) || !plain_name_of(*type).empty()) return std::nullopt;
  return type;
}

std::string layout_text(const Dwarf_Die& type, int depth = 0);

std::string type_text(const Dwarf_Die& variable, int depth = 0) {
  if (const std::optional<std::string> name = type_name_of(variable)) return *name;
  if (const std::optional<Dwarf_Die> type = unnamed_class_of(variable)) return layout_text(*type, depth + 1);
  const std::optional<Dwarf_Die> bare = bare_type_of(variable);
  if (!bare) return "void";
  Dwarf_Die type = *bare;
  return std::string(plain_name_of(type)) + "#" + std::to_string(dwarf_tag(&type)) + "/" +
         std::to_string(size_of_type(type));
}

/// "{int a @0; long b @8}".
std::string layout_text(const Dwarf_Die& type, int depth) {
  std::string text = "{";
  if (depth > deepest) return text;
  for_each_child(type, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_subprogram && has_flag(child, DW_AT_virtuality)) text += "virtual ";
    const bool is_data = (tag == DW_TAG_member && !is_static_member(child)) || tag == DW_TAG_inheritance;
    if (!is_data) return;
    text += type_text(child, depth) + " " + std::string(plain_name_of(child)) + " @" +
            std::to_string(number_of(child, DW_AT_data_member_location).value_or(0)) + "." +
            std::to_string(number_of(child, DW_AT_data_bit_offset).value_or(0)) + "; ";
  });
  return text + std::to_string(size_of_type(type)) + "}";
}

bool is_plain(const Dwarf_Die& entry, int depth = 0);

/// A destructor, or what copies or moves an object, unless the compiler has made it.
bool is_special(Dwarf_Die& function, std::string_view class_name) {
  const std::string_view name = plain_name_of(function);
  if (has_flag(function, DW_AT_artificial)) return false;
  if (name.starts_with('~') || name == "operator=" || has_flag(function, DW_AT_virtuality)) return true;
  const bool is_constructor = name == class_name.substr(0, class_name.find('<')) || name == class_name;
  if (!is_constructor) return false;
  bool takes_reference = false;
  for_each_child(function, [&](Dwarf_Die& child) {
    const std::optional<Dwarf_Die> type = bare_type_of(child);
    if (dwarf_tag(&child) != DW_TAG_formal_parameter || has_flag(child, DW_AT_artificial) || !type) return;
    Dwarf_Die parameter = *type;
    const int tag = dwarf_tag(&parameter);
    const std::optional<Dwarf_Die> referred = bare_type_of(parameter);
    takes_reference |= (tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type) && referred &&
                       plain_name_of(*referred) == class_name;
  });
  return takes_reference;
}

/// g++ does not note whether a class is trivially copyable: its functions and parts tell.
bool is_plain_class(Dwarf_Die type, int depth) {
  if (!is_definition(type) || has_vtable_pointer(type)) return false;
  const std::string_view name = plain_name_of(type);
  bool is_all_plain = true;
  for_each_child(type, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_subprogram && is_special(child, name)) is_all_plain = false;
    const bool is_part = tag == DW_TAG_inheritance || (tag == DW_TAG_member && !is_static_member(child));
    if (is_part && !is_plain(child, depth + 1)) is_all_plain = false;
  });
  return is_all_plain;
}

/// The objects of the entry's type are copied byte by byte.
bool is_plain(const Dwarf_Die& entry, int depth) {
  if (depth > deepest) return false;
  if (type_name_of(entry).value_or("").starts_with("std::atomic<")) return true;
  std::optional<Dwarf_Die> type = bare_type_of(entry);
  while (type && dwarf_tag(&*type) == DW_TAG_array_type) type = bare_type_of(*type);
  if (!type) return false;
  const int tag = dwarf_tag(&*type);
  return is_class_tag(tag) || tag == DW_TAG_union_type ? is_plain_class(full_class(*type), depth) : true;
}

class Collector final {
 public:
  Types run(const DebugUnit& unit) {
    collect(unit.content, {}, false, 0);
    return std::move(types_);
  }

 private:
  void collect(const Dwarf_Die& parent, const std::string& scope, bool is_in_function, int depth) {
    if (depth > deepest) return;
    for_each_child(parent, [&](Dwarf_Die& child) { add(child, scope, is_in_function, depth); });
  }

  void add(Dwarf_Die& child, const std::string& scope, bool is_in_function, int depth) {
    const int tag = dwarf_tag(&child);
    if (is_class_tag(tag)) {
      add_class(child, scope, depth);
    } else if (tag == DW_TAG_namespace) {
      collect(child, scope_inside(child, scope), is_in_function, depth + 1);
    } else if (tag == DW_TAG_subprogram) {
      types_.has_functions = true;
      // The code of a function may be described apart from what is in it.
      if (dwarf_hasattr(&child, DW_AT_abstract_origin) == 0)
        collect(child, scope_of_function(child, scope), true, depth + 1);
    } else if (tag == DW_TAG_lexical_block) {
      collect(child, scope, is_in_function, depth + 1);
    } else if (tag == DW_TAG_enumeration_type) {
      add_enumeration(child, scope);
    } else if (tag == DW_TAG_typedef) {
      add_unnamed(child, scope + std::string(plain_name_of(child)));
    } else if (tag == DW_TAG_variable) {
      add_variable(child, scope, is_in_function);
    }
    if (tag == DW_TAG_base_type || tag == DW_TAG_typedef || tag == DW_TAG_pointer_type || is_class_tag(tag))
      types_.has_any = true;
  }

  void add_class(Dwarf_Die& die, const std::string& scope, int depth) {
    const Dwarf_Die type = full_class(die);
    const std::string name = scope + std::string(plain_name_of(type));
    const bool is_of_system = is_of_the_system(type, scope);
    if (is_closure(type))
      types_.closures[scope].push_back(type);
    else if (!plain_name_of(type).empty() && is_definition(type) && !is_of_system)
      types_.classes[name].push_back(type);
    if (is_of_system) return;
    for_each_child(type, [&](Dwarf_Die& child) {
      if (dwarf_tag(&child) == DW_TAG_member) add_unnamed(child, name + "::" + std::string(plain_name_of(child)));
    });
    collect(type, scope_inside(die, scope), false, depth + 1);
  }

  void add_unnamed(const Dwarf_Die& entry, const std::string& name) {
    if (is_of_the_system(entry, name)) return;
    if (const std::optional<Dwarf_Die> type = unnamed_class_of(entry)) types_.classes[name].push_back(*type);
  }

  void add_enumeration(const Dwarf_Die& type, const std::string& scope) {
    if (is_of_the_system(type, scope)) return;
    auto& values = types_.enumerations[scope + std::string(plain_name_of(type))];
    for_each_child(type, [&](Dwarf_Die& child) {
      Dwarf_Attribute attribute{};
      Dwarf_Sword number = 0;
      if (dwarf_formsdata(dwarf_attr(&child, DW_AT_const_value, &attribute), &number) == 0)
        values[std::string(plain_name_of(child))] = number;
    });
  }

  /// Those with a place of their own: others are on the stack, or constants.
  void add_variable(Dwarf_Die& die, const std::string& scope, bool is_in_function) {
    Dwarf_Die named = die;
    if (const std::optional<Dwarf_Die> declared = referred_by(die, DW_AT_specification)) named = *declared;
    Dwarf_Attribute attribute{};
    Dwarf_Op* operations = nullptr;
    std::size_t count = 0;
    const bool has_place = dwarf_attr(&die, DW_AT_location, &attribute) != nullptr &&
                           dwarf_getlocation(&attribute, &operations, &count) == 0 && count > 0 &&
                           is_of_static(operations, count);
    if (!has_place) return;
    types_.variables[scope + std::string(plain_name_of(named))].push_back(type_text(named));
    const std::optional<std::uint64_t> place = address_of_variable(die);
    if (place && is_plain(die)) types_.plain.insert(*place);
    if (is_in_function) ++types_.statics[scope + std::string(plain_name_of(named))];
  }

  static bool is_of_static(const Dwarf_Op* operations, std::size_t count) {
    const unsigned first = operations[0].atom;
    const bool is_of_thread = operations[count - 1].atom == DW_OP_GNU_push_tls_address ||
                              operations[count - 1].atom == DW_OP_form_tls_address;
    return first == DW_OP_addr || first == DW_OP_addrx || first == DW_OP_GNU_addr_index || is_of_thread;
  }

  Types types_;
};

/// Empty if new code may use the objects of old code.
std::string difference_of(const Dwarf_Die& old, const Dwarf_Die& fresh, const std::string& name) {
  const ClassLayout before = class_layout(old, ClassName(name));
  const ClassLayout after = class_layout(fresh, ClassName(name));
  if (!is_same_layout(before, after) || after.has_vptr) {
    LayoutComparison comparison = compare_layouts(before, after);
    // A field with another name is read in the same place.
    std::erase_if(comparison.differences,
                  [](const LayoutDifference& each) { return each.kind == DifferenceKind::field_renamed; });
    if (!comparison.differences.empty()) return describe(comparison);
  }
  return {};
}

std::string difference_of(const std::vector<Dwarf_Die>& olds, const std::vector<Dwarf_Die>& news,
                          const std::string& name) {
  if (olds.size() != news.size())
    return "there are " + std::to_string(news.size()) + " instead of " + std::to_string(olds.size());
  for (std::size_t i = 0; i < olds.size(); ++i)
    if (std::string text = difference_of(olds[i], news[i], name); !text.empty()) return text;
  return {};
}

void compare_classes(const Types& before, const Types& after, TypeComparison& comparison) {
  for (const auto& [name, types] : after.classes) {
    const auto known = before.classes.find(name);
    if (known == before.classes.end()) {
      comparison.news["class " + name] = layout_text(types.front());
      continue;
    }
    if (known->second.size() == 1 && types.size() == 1) {
      const Dwarf_Die& old = known->second.front();
      if (std::string text = difference_of(old, types.front(), name); !text.empty())
        comparison.classes.push_back({name, old, types.front(), std::move(text)});
    } else if (const std::string text = difference_of(known->second, types, name); !text.empty()) {
      comparison.refusals.push_back(name + " has changed, and the source has several of that name:\n" + text);
    }
  }
  std::set<std::string> scopes;
  for (const auto& [scope, types] : before.closures) scopes.insert(scope);
  for (const std::string& scope : scopes) {
    const auto now = after.closures.find(scope);
    const std::string text = difference_of(
        before.closures.at(scope), now == after.closures.end() ? std::vector<Dwarf_Die>() : now->second, "closure");
    if (!text.empty()) comparison.lambdas[scope] = text;
  }
}

void compare_enumerations(const Types& before, const Types& after, TypeComparison& comparison) {
  for (const auto& [name, values] : after.enumerations) {
    const auto known = before.enumerations.find(name);
    if (known == before.enumerations.end()) continue;
    for (const auto& [enumerator, number] : values) {
      const auto old = known->second.find(enumerator);
      if (old == known->second.end() || old->second == number) continue;
      std::string& note = comparison.notes.emplace_back(name);
      note.append("::").append(enumerator).append(" was ").append(std::to_string(old->second)).append(" and is ");
      note.append(std::to_string(number)).append("; variables and objects keep their numbers");
    }
  }
}

void compare_variables(const Types& before, const Types& after, TypeComparison& comparison) {
  for (const auto& [name, types] : after.variables) {
    const auto known = before.variables.find(name);
    const std::string last = name.substr(name.rfind(':') == std::string::npos ? 0 : name.rfind(':') + 1);
    const auto [place, is_first] = comparison.variables.emplace(last, types.front());
    if (!is_first && place->second != types.front()) place->second = "?";
    if (known == before.variables.end()) {
      comparison.news["variable " + name] = types.front();
    } else if (std::set(known->second.begin(), known->second.end()) != std::set(types.begin(), types.end())) {
      comparison.refusals.push_back(name + ": was " + known->second.front() + ", and is " + types.front() +
                                    "; a variable that exists cannot change its type: give the new one another name");
    }
  }
  comparison.plain = after.plain;
  comparison.has_other_statics = before.statics != after.statics;
}

}  // namespace

std::optional<std::uint64_t> address_of_variable(Dwarf_Die variable) {
  Dwarf_Attribute location{};
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (dwarf_attr(&variable, DW_AT_location, &location) == nullptr ||
      dwarf_getlocation(&location, &operations, &count) != 0 || count != 1)
    return std::nullopt;
  if (operations->atom == DW_OP_addr) return operations->number;
  Dwarf_Attribute indexed{};
  Dwarf_Addr address = 0;
  if (operations->atom != DW_OP_addrx || dwarf_getlocation_attr(&location, operations, &indexed) != 0 ||
      dwarf_formaddr(&indexed, &address) != 0)
    return std::nullopt;
  return address;
}

TypeComparison compare_types(const DebugUnit& old, const DebugUnit& fresh) {
  const Types before = Collector().run(old);
  const Types after = Collector().run(fresh);
  TypeComparison comparison;
  comparison.has_types = (before.has_any || !before.has_functions) && (after.has_any || !after.has_functions);
  compare_classes(before, after, comparison);
  compare_enumerations(before, after, comparison);
  compare_variables(before, after, comparison);
  return comparison;
}

}  // namespace moult::internal::diff
