// Values in memory that the program takes by itself are found by diff/placed_objects.
#include "diff/class_users.hpp"

#include <dwarf.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "symbols/class_name.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/use_search.hpp"

namespace moult::internal::diff {
namespace {

bool defines(const DebugUnit& unit, const ClassName& wanted) {
  bool found = false;
  visit_classes(unit.content, {}, [&](const Dwarf_Die& die, const std::string& scope) {
    found = found || (is_class(die, scope, wanted) && is_definition(full_class(die)));
  });
  return found;
}

/// A part of a library's container, which no program names: "std::_Vector_base<…>", "std::allocator<…>".
bool is_internal(const std::string& name) {
  const std::string_view outer = std::string_view(name).substr(0, name.find('<'));
  return outer == "std::allocator" || outer == "std::initializer_list" || outer.starts_with("__gnu_cxx::") ||
         (outer.starts_with("std::") &&
          (outer.find("::_") != std::string_view::npos || name.find(">::_") != std::string::npos));
}

/// "std::vector<Item>" of "std::vector<Item, std::allocator<Item> >".
std::string as_written(std::string name) {
  static constexpr std::string_view allocator = ", std::allocator<";
  for (std::size_t begin = 0; (begin = name.find(allocator)) != std::string::npos;) {
    std::size_t end = begin + allocator.size();
    for (int depth = 1; depth > 0 && end < name.size(); ++end)
      depth += name[end] == '<' ? 1 : name[end] == '>' ? -1 : 0;
    while (end < name.size() && name[end] == ' ') ++end;
    name.erase(begin, end - begin);
  }
  return name;
}

void add_once(std::vector<std::string>& to, std::string text) {
  if (std::ranges::find(to, text) == to.end()) to.push_back(std::move(text));
}

}  // namespace

ClassUsers users_of(const DebugInfo& info, const std::string& class_name) {
  const ClassName wanted(class_name);
  const KnownClass known = find_class(info, wanted);
  ClassUsers users;
  const ValueHolders holders = holders_of(info, wanted, known);
  const bool has_others = std::ranges::any_of(holders.classes, [](const auto& each) { return !is_internal(each); });
  for (const std::string& each : holders.classes) {
    if (each.starts_with("std::_Sp_counted_ptr_inplace<") && each.ends_with(">"))
      users.shares_values = true;
    else if (!each.starts_with("std::allocator<std::_Sp_") && !each.starts_with("std::__allocated_ptr<") &&
             !each.starts_with("std::_Sp_") && !(is_internal(each) && has_others))
      users.values.push_back(each.empty() ? "a class without a name" : as_written(each));
  }
  for (Dwarf_Die die : holders.users) {
    if (dwarf_tag(&die) != DW_TAG_subprogram)
      add_once(users.values, std::string(plain_name_of(die)) + " (a variable)");
    else if (const std::optional<std::uint64_t> code = code_of(die))
      users.functions.push_back(*code);
  }
  for (const DebugUnit* const each : known.units)
    if (!each->is_type && defines(*each, wanted)) users.units.push_back(each);
  return users;
}

}  // namespace moult::internal::diff
