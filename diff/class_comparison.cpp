// Limits: a class that only the new source knows of is not compared: the program has no object of it, unless another
// source defines it otherwise.
#include "diff/class_comparison.hpp"

#include <dwarf.h>

#include <map>
#include <string_view>

#include "symbols/class_layout.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/die_attributes.hpp"

namespace moult::internal::diff {
namespace {

struct Classes {
  std::map<std::string, std::vector<Dwarf_Die>> named;
  std::map<std::string, std::vector<Dwarf_Die>> closures;  ///< by the function around them
};

/// g++ calls the class "<lambda(int)>", clang gives it no name. Other classes without a name are parts of variables and
/// fields, or have a typedef.
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
  if (!mangled.empty()) return std::string(mangled) + "()::";
  return around + std::string(plain_name_of(function)) + "()::";
}

void collect(const Dwarf_Die& parent, const std::string& scope, Classes& classes, int depth = 0) {
  constexpr int deepest = 100;  // only damaged files nest deeper
  if (depth > deepest) return;
  for_each_child(parent, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (is_class_tag(tag)) {
      const Dwarf_Die type = full_class(child);
      const std::string_view name = plain_name_of(type);
      if (is_closure(type))
        classes.closures[scope].push_back(type);
      else if (!name.empty() && is_definition(type) && !is_of_the_system(type, scope))
        classes.named[scope + std::string(name)].push_back(type);
      collect(type, scope_inside(child, scope), classes, depth + 1);
    } else if (tag == DW_TAG_namespace) {
      collect(child, scope_inside(child, scope), classes, depth + 1);
    } else if (tag == DW_TAG_subprogram) {
      // The code of a function may be described apart from what is in it.
      if (dwarf_hasattr(&child, DW_AT_abstract_origin) == 0)
        collect(child, scope_of_function(child, scope), classes, depth + 1);
    } else if (tag == DW_TAG_lexical_block) {
      collect(child, scope, classes, depth + 1);
    }
  });
}

Classes classes_of(const DebugUnit& unit) {
  Classes classes;
  collect(unit.content, {}, classes);
  return classes;
}

/// Empty if new code may use the objects of old code.
std::string difference_of(const Dwarf_Die& old, const Dwarf_Die& fresh, const std::string& name) {
  const ClassLayout before = class_layout(old, ClassName(name));
  const ClassLayout after = class_layout(fresh, ClassName(name));
  if (is_same_layout(before, after) && !after.has_vptr) return {};
  LayoutComparison comparison = compare_layouts(before, after);
  // A field with another name is read in the same place.
  std::erase_if(comparison.differences,
                [](const LayoutDifference& each) { return each.kind == DifferenceKind::field_renamed; });
  return comparison.differences.empty() ? std::string() : describe(comparison);
}

}  // namespace

std::vector<ClassDifference> compare_classes(const DebugUnit& old, const DebugUnit& fresh) {
  const Classes before = classes_of(old);
  const Classes after = classes_of(fresh);
  std::vector<ClassDifference> differences;
  for (const auto& [name, types] : after.named) {
    const auto known = before.named.find(name);
    if (known == before.named.end()) continue;
    std::string text = difference_of(known->second.front(), types.front(), name);
    if (!text.empty()) differences.push_back({name, std::move(text), false});
  }
  const auto compare_closures = [&](const std::string& scope, const std::vector<Dwarf_Die>& olds,
                                    const std::vector<Dwarf_Die>& news) {
    std::string text;
    if (olds.size() != news.size())
      text = "it has " + std::to_string(news.size()) + " instead of " + std::to_string(olds.size());
    for (std::size_t i = 0; text.empty() && i < olds.size(); ++i) text = difference_of(olds[i], news[i], "closure");
    if (!text.empty()) differences.push_back({scope, std::move(text), true});
  };
  for (const auto& [scope, types] : after.closures)
    if (const auto known = before.closures.find(scope); known != before.closures.end())
      compare_closures(scope, known->second, types);
  return differences;
}

}  // namespace moult::internal::diff
