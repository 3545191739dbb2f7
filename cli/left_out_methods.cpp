// A class is redefined as another one by a template of moult's that has both as arguments (class_pairing). The debug
// information describes its instances, and what each new class declares. A declared method without a symbol is left
// out, or is defined nowhere; only the compiler can tell which.
//
// clang gives constructors and destructors no mangled name there, and does not tell those that are "= default". They
// are found by the demangled name, and are not missed where class_pairing has compiled a stand-in.
#include "left_out_methods.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "base/names.hpp"
#include "elf/elf_file.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/class_name.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/function_index.hpp"
#include "symbols/inlined_copies.hpp"
#include "symbols/name_query.hpp"
#include "symbols/type_name.hpp"

namespace moult::internal::cli {
namespace {

/// The functions of the update.
struct UpdateCode {
  explicit UpdateCode(const ElfFile& file) : functions({&file}, file) {
    for (const Symbol& symbol : functions.all()) symbols.insert(symbol.name);
  }

  FunctionIndex functions;
  std::set<std::string_view> symbols;
};

bool has_code_by_symbol(const std::string& mangled, const UpdateCode& code) {
  const std::vector<std::string> variants = names_of_variants({mangled});
  return std::ranges::any_of(variants, [&](const std::string& each) { return code.symbols.contains(each); });
}

/// A constructor's or destructor's code, or what stands in for it.
bool has_code_by_name(const std::string& declared, const ClassName& of_class, const UpdateCode& code) {
  const std::vector<FunctionMatch> members = code.functions.members_of(of_class);
  const bool is_there = std::ranges::any_of(members, [&](const FunctionMatch& match) {
    return without_abi_tags(demangle(std::string(match.name.base))) == declared;
  });
  const bool may_have_stand_in = declared.ends_with("()");
  const char* const helper = declared.find("::~") != std::string::npos ? "destroy_object" : "construct_object";
  return is_there || (may_have_stand_in && !code.functions.search(of_class.as_argument_of(helper)).empty());
}

bool is_left_out(Dwarf_Die member, const ClassName& of_class, const UpdateCode& code) {
  const bool is_pure = number_of(member, DW_AT_virtuality).value_or(0) == DW_VIRTUALITY_pure_virtual;
  if (dwarf_tag(&member) != DW_TAG_subprogram || is_pure || has_flag(member, DW_AT_artificial) ||
      has_flag(member, DW_AT_deleted) || dwarf_hasattr(&member, DW_AT_defaulted) != 0)
    return false;
  const std::string mangled(linkage_name_of({member}));
  return mangled.empty() ? !has_code_by_name(declared_name(member, of_class), of_class, code)
                         : !has_code_by_symbol(mangled, code);
}

/// The second argument of an instance of class_pairing.
bool has_left_out_methods(Dwarf_Die pairing, const UpdateCode& code) {
  std::vector<Dwarf_Die> arguments;
  for_each_child(pairing, [&](Dwarf_Die& child) {
    const std::optional<Dwarf_Die> type =
        dwarf_tag(&child) == DW_TAG_template_type_parameter ? bare_type_of(child) : std::nullopt;
    if (type) arguments.push_back(*type);
  });
  if (arguments.size() != 2) return false;
  const ClassName name(class_name_of(arguments[1]).value_or(""));
  bool is_found = false;
  for_each_child(full_class(arguments[1]),
                 [&](Dwarf_Die& member) { is_found = is_found || is_left_out(member, name, code); });
  return is_found;
}

bool any_in_scope(Dwarf_Die scope, const UpdateCode& code, int depth = 0) {
  constexpr int deepest = 100;  // only damaged files nest deeper
  bool is_found = false;
  if (depth > deepest) return is_found;
  for_each_child(scope, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_namespace) is_found = is_found || any_in_scope(child, code, depth + 1);
    if (tag == DW_TAG_subprogram && plain_name_of(child).starts_with("class_pairing<"))
      is_found = is_found || has_left_out_methods(child, code);
  });
  return is_found;
}

}  // namespace

bool lacks_methods(const std::string& update) {
  const ElfFile file = ElfFile::open(update);
  const std::unique_ptr<DebugInfo> info = DebugInfo::open(file);
  if (info == nullptr) return false;
  const UpdateCode code(file);
  return std::ranges::any_of(info->units(), [&](const DebugUnit& unit) { return any_in_scope(unit.content, code); });
}

}  // namespace moult::internal::cli
