#include "symbols/inlined_copy.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/names.hpp"

namespace moult::internal {
namespace {

int call_line(Dwarf_Die copy) {
  Dwarf_Attribute attribute{};
  Dwarf_Word line = 0;
  return dwarf_formudata(dwarf_attr(&copy, DW_AT_call_line, &attribute), &line) == 0 ? static_cast<int>(line) : 0;
}

}  // namespace

/// Compilers describe the variants of a constructor or destructor (C1, C2, D0, ...) by one abstract function, called C4
/// or D4 by g++. So each variant's name is a name of the function.
std::vector<std::string> names_of_variants(const std::vector<std::string>& names) {
  std::set<std::string> all(names.begin(), names.end());
  for (const std::string& name : names) {
    for (std::size_t at = 2; at + 2 < name.size(); ++at) {
      const bool constructor = name[at] == 'C' && name[at + 1] >= '1' && name[at + 1] <= '5';
      const bool destructor = name[at] == 'D' && name[at + 1] >= '0' && name[at + 1] <= '5';
      // Only the last component's: what follows are the parameters, or the arguments of a template.
      if ((!constructor && !destructor) || (name[at + 2] != 'E' && name[at + 2] != 'I' && name[at + 2] != 'B'))
        continue;
      std::string variant = name;
      for (const char digit : std::string_view("012345")) {
        variant[at + 1] = digit;
        if (demangle(variant) == demangle(name)) all.insert(variant);
      }
    }
  }
  return {all.begin(), all.end()};
}

std::string_view shared_name_of(const std::vector<Dwarf_Die>& parts) {
  const std::string_view name = linkage_name_of(parts);
  Dwarf_Die last = parts.back();
  // A C function has only its plain name; so have local functions, which are known by their parts alone.
  if (!name.empty() || dwarf_hasattr(&last, DW_AT_external) == 0) return name;
  const char* plain = dwarf_diename(&last);
  return plain != nullptr ? plain : std::string_view();
}

bool was_inlined(const std::vector<Dwarf_Die>& parts) {
  return std::any_of(parts.begin(), parts.end(), [](Dwarf_Die part) {
    Dwarf_Attribute attribute{};
    Dwarf_Word word = DW_INL_not_inlined;
    if (dwarf_formudata(dwarf_attr(&part, DW_AT_inline, &attribute), &word) != 0) return false;
    return word == DW_INL_inlined || word == DW_INL_declared_inlined;
  });
}

std::optional<Dwarf_Die> origin_of(const Dwarf_Die& copy) {
  Dwarf_Die from = copy;
  Dwarf_Attribute attribute{};
  Dwarf_Die origin{};
  if (dwarf_formref_die(dwarf_attr(&from, DW_AT_abstract_origin, &attribute), &origin) == nullptr) return std::nullopt;
  return origin;
}

std::optional<InlinedCopy> describe_copy(const DebugInfo& info, const Dwarf_Die& copy, const Dwarf_Die& caller) {
  const std::uint64_t address = code_of(caller).value_or(0);
  if (!info.is_code(address)) return std::nullopt;
  const std::vector<Dwarf_Die> parts = parts_of(caller);
  std::string name(linkage_name_of(parts));
  Dwarf_Die last = parts.back();
  const char* plain = dwarf_diename(&last);
  if (name.empty() && plain != nullptr) name = plain;
  return InlinedCopy{file_named_by(copy, DW_AT_call_file), call_line(copy), address, std::move(name)};
}

std::vector<InlinedCopy> in_order(std::vector<InlinedCopy> copies) {
  const auto key = [](const InlinedCopy& copy) { return std::tie(copy.file, copy.line, copy.caller); };
  std::sort(copies.begin(), copies.end(), [&](const InlinedCopy& a, const InlinedCopy& b) { return key(a) < key(b); });
  copies.erase(std::unique(copies.begin(), copies.end(),
                           [&](const InlinedCopy& a, const InlinedCopy& b) { return key(a) == key(b); }),
               copies.end());
  return copies;
}

}  // namespace moult::internal
