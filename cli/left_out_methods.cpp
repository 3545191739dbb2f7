// A class is redefined as another one by a template of moult's that has both as arguments (class_pairing). The debug
// information describes its instances, and what each new class declares. A declared method without a symbol is left
// out, or is defined nowhere; only the compiler can tell which.
#include "left_out_methods.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "elf/elf_file.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/function_index.hpp"
#include "symbols/inlined_copies.hpp"

namespace moult::internal::cli {
namespace {

using Names = std::set<std::string_view>;

bool is_left_out(Dwarf_Die member, const Names& symbols) {
  const bool is_pure = number_of(member, DW_AT_virtuality).value_or(0) == DW_VIRTUALITY_pure_virtual;
  if (dwarf_tag(&member) != DW_TAG_subprogram || is_pure || has_flag(member, DW_AT_artificial) ||
      has_flag(member, DW_AT_deleted) || dwarf_hasattr(&member, DW_AT_defaulted) != 0)
    return false;
  const std::string name(linkage_name_of({member}));
  const std::vector<std::string> variants = names_of_variants({name});
  return !name.empty() &&
         std::ranges::none_of(variants, [&](const std::string& each) { return symbols.contains(each); });
}

/// The second argument of an instance of class_pairing.
bool has_left_out_methods(Dwarf_Die pairing, const Names& symbols) {
  std::vector<Dwarf_Die> arguments;
  for_each_child(pairing, [&](Dwarf_Die& child) {
    const std::optional<Dwarf_Die> type =
        dwarf_tag(&child) == DW_TAG_template_type_parameter ? bare_type_of(child) : std::nullopt;
    if (type) arguments.push_back(*type);
  });
  bool is_found = false;
  if (arguments.size() == 2)
    for_each_child(full_class(arguments[1]),
                   [&](Dwarf_Die& member) { is_found = is_found || is_left_out(member, symbols); });
  return is_found;
}

bool any_in_scope(Dwarf_Die scope, const Names& symbols, int depth = 0) {
  constexpr int deepest = 100;  // only damaged files nest deeper
  bool is_found = false;
  if (depth > deepest) return is_found;
  for_each_child(scope, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_namespace) is_found = is_found || any_in_scope(child, symbols, depth + 1);
    if (tag == DW_TAG_subprogram && plain_name_of(child).starts_with("class_pairing<"))
      is_found = is_found || has_left_out_methods(child, symbols);
  });
  return is_found;
}

}  // namespace

bool lacks_methods(const std::string& update) {
  const ElfFile file = ElfFile::open(update);
  const std::unique_ptr<DebugInfo> info = DebugInfo::open(file);
  if (info == nullptr) return false;
  const FunctionIndex functions({&file}, file);
  Names symbols;
  for (const Symbol& symbol : functions.all()) symbols.insert(symbol.name);
  return std::ranges::any_of(info->units(), [&](const DebugUnit& unit) { return any_in_scope(unit.content, symbols); });
}

}  // namespace moult::internal::cli
