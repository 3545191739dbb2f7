// Problem: a jump at the entry does not replace a function that was inlined, because its copies do not pass the entry.
//
// Approach: each copy is a DW_TAG_inlined_subroutine that refers to an abstract function. That is the wanted function
// if it shares a part (see debug_info.hpp) with the code at the function's address. Other compilation units have parts
// of their own for a header's function; there the mangled name decides.
//
// One search: reading every DIE of a big program takes seconds, so we first search the bytes of each unit. A relevant
// unit contains the function's name, the offset of that name in the string table, or the offset of a known part; the
// latter is how units refer to one another after link-time optimisation. Other units are skipped. This does not work
// where units share more than that: type units, dwz, split units.
//
// Many searches: ten thousand searches would still take minutes. So one walk over all units builds an index: for each
// abstract function with copies its parts and its name, and for each name the parts of all functions with it. A
// function's copies are then found by a common name or part. The index takes about 50 bytes a copy, and is freed with
// its Program.
//
// Limits: the compiler may omit a copy whose instructions all vanished. Units compiled without -g are blind spots. If
// the function's own unit is one, that is reported; others cannot be known.
#include "symbols/inlined_copies.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/names.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/unit_filter.hpp"

namespace moult::internal {
namespace {

int call_line(Dwarf_Die copy) {
  Dwarf_Attribute attribute{};
  Dwarf_Word line = 0;
  return dwarf_formudata(dwarf_attr(&copy, DW_AT_call_line, &attribute), &line) == 0 ? static_cast<int>(line) : 0;
}

}  // namespace

/// Compilers describe the variants of a constructor or destructor (C1, C2, D0, ...) by one abstract function, which g++
/// calls C4 or D4. So each variant's name is a name of the function.
std::vector<std::string> names_of_variants(const std::vector<std::string>& names) {
  std::set<std::string> all(names.begin(), names.end());
  for (const std::string& name : names) {
    for (std::size_t at = 2; at + 2 < name.size(); ++at) {
      const bool constructor = name[at] == 'C' && name[at + 1] >= '1' && name[at + 1] <= '5';
      const bool destructor = name[at] == 'D' && name[at + 1] >= '0' && name[at + 1] <= '5';
      // Only in the last component; the parameters or the arguments of a template follow.
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
  // A C function has only its plain name. So have local functions, but those are known by their parts alone.
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

namespace {

class Search final {
 public:
  Search(const DebugInfo& info, const InlinedFunction& function)
      : info_(info), names_(names_of_variants(function.names)), unread_(info.units().size(), true) {
    for (const std::uint64_t address : function.addresses) add_parts_of_function_at(address);
    for (const std::uint64_t address : function.addresses) read_unit_of(address);
  }

  InlinedCopies run() {
    read_units_with_names();
    // Abstract functions found in one unit may have copies in others.
    for (std::size_t known = 0; known != parts_.size();) {
      known = parts_.size();
      read_units_with_references();
    }
    return {in_order(std::move(copies_)), is_complete_};
  }

 private:
  void add_parts_of_function_at(std::uint64_t address) {
    const std::optional<Dwarf_Die> die = info_.function_at(address);
    if (!die) return;
    is_complete_ = true;
    for (const Dwarf_Die& part : parts_of(*die)) add_part(part);
  }

  void read_unit_of(std::uint64_t address) {
    const DebugUnit* unit = info_.unit_at(address);
    if (unit != nullptr) read(number_of(*unit));
  }

  std::size_t number_of(const DebugUnit& unit) const { return static_cast<std::size_t>(&unit - info_.units().data()); }

  void add_part(Dwarf_Die part) {
    if (parts_.insert(part.addr).second) {
      references_.add(dwarf_dieoffset(&part));
    }
  }

  void read_units_with_names() {
    const UnitFilter filter(info_, names_);
    if (names_.empty() && filter.passes_over()) return;
    for (const DebugUnit* const unit : filter.naming()) read(number_of(*unit));
  }

  void read_units_with_references() {
    for (std::size_t i = 0; i < unread_.size(); ++i) {
      const DebugUnit& unit = info_.units()[i];
      if (unread_[i] && unit.refers_out && references_.occur_in(unit.bytes)) read(i);
    }
  }

  void read(std::size_t number) {
    if (!unread_[number]) return;
    unread_[number] = false;
    visit_all(info_.units()[number].content, nullptr, [this](Dwarf_Die& die, const Dwarf_Die* function) {
      const int tag = dwarf_tag(&die);
      if (tag == DW_TAG_inlined_subroutine && function != nullptr) look_at_copy(die, *function);
      if (tag == DW_TAG_subprogram && !names_.empty() && has_wanted_name(parts_of(die))) {
        for (const Dwarf_Die& part : parts_of(die)) add_part(part);
      }
      return true;
    });
  }

  void look_at_copy(const Dwarf_Die& copy, const Dwarf_Die& caller) {
    const std::optional<Dwarf_Die> origin = origin_of(copy);
    if (!origin || !is_wanted(*origin)) return;
    std::optional<InlinedCopy> described = describe_copy(info_, copy, caller);
    if (described) copies_.push_back(std::move(*described));
  }

  bool is_wanted(const Dwarf_Die& origin) {
    const auto [known, is_new] = verdicts_.try_emplace(origin.addr, false);
    if (!is_new) return known->second;
    const std::vector<Dwarf_Die> parts = parts_of(origin);
    known->second =
        std::any_of(parts.begin(), parts.end(), [&](const Dwarf_Die& part) { return parts_.contains(part.addr); }) ||
        has_wanted_name(parts);
    return known->second;
  }

  bool has_wanted_name(const std::vector<Dwarf_Die>& parts) const {
    const std::string_view name = shared_name_of(parts);
    return !name.empty() && std::binary_search(names_.begin(), names_.end(), name, std::less<>());
  }

  const DebugInfo& info_;
  std::vector<std::string> names_;  ///< sorted
  std::vector<bool> unread_;        ///< by unit
  std::unordered_set<const void*> parts_;
  References references_;                           ///< by which other units refer to the parts
  std::unordered_map<const void*, bool> verdicts_;  ///< by abstract function
  std::vector<InlinedCopy> copies_;
  bool is_complete_ = false;
};

}  // namespace

InlinedCopies find_inlined_copies(const DebugInfo& info, const InlinedFunction& function) {
  return Search(info, function).run();
}

CopyIndex::CopyIndex(const DebugInfo& info) : info_(info) {
  for (const DebugUnit& unit : info.units()) read(unit);
}

void CopyIndex::read(const DebugUnit& unit) {
  visit_all(unit.content, nullptr, [this](const Dwarf_Die& die, const Dwarf_Die* function) {
    Dwarf_Die current = die;
    const int tag = dwarf_tag(&current);
    if (tag == DW_TAG_inlined_subroutine && function != nullptr) add_copy(die, *function);
    if (tag == DW_TAG_subprogram) add_function(die);
    return true;
  });
}

void CopyIndex::add_function(const Dwarf_Die& die) {
  const std::vector<Dwarf_Die> parts = parts_of(die);
  const std::string_view name = shared_name_of(parts);
  if (name.empty()) return;
  std::vector<const void*>& known = parts_by_name_[name];
  for (const Dwarf_Die& part : parts) known.push_back(part.addr);
}

void CopyIndex::add_copy(const Dwarf_Die& copy, const Dwarf_Die& caller) {
  const std::optional<Dwarf_Die> origin = origin_of(copy);
  if (!origin) return;
  if (callers_.empty() || callers_.back().addr != caller.addr) callers_.push_back(caller);
  copies_[number_of(*origin)].push_back({copy, callers_.size() - 1});
}

std::size_t CopyIndex::number_of(const Dwarf_Die& origin) {
  const auto [known, is_new] = numbers_.try_emplace(origin.addr, copies_.size());
  if (!is_new) return known->second;
  copies_.emplace_back();
  const std::vector<Dwarf_Die> parts = parts_of(origin);
  for (const Dwarf_Die& part : parts) numbers_by_part_[part.addr].push_back(known->second);
  const std::string_view name = shared_name_of(parts);
  if (!name.empty()) numbers_by_name_[name].push_back(known->second);
  return known->second;
}

InlinedCopies CopyIndex::copies_of(const InlinedFunction& function) const {
  InlinedCopies found;
  std::set<std::size_t> wanted;
  const auto want_part = [&](const void* part) {
    const auto numbers = numbers_by_part_.find(part);
    if (numbers != numbers_by_part_.end()) wanted.insert(numbers->second.begin(), numbers->second.end());
  };
  for (const std::uint64_t address : function.addresses) {
    const std::optional<Dwarf_Die> die = info_.function_at(address);
    if (!die) continue;
    found.is_complete = true;
    for (const Dwarf_Die& part : parts_of(*die)) want_part(part.addr);
  }
  for (const std::string& name : names_of_variants(function.names)) {
    const auto numbers = numbers_by_name_.find(name);
    if (numbers != numbers_by_name_.end()) wanted.insert(numbers->second.begin(), numbers->second.end());
    const auto parts = parts_by_name_.find(name);
    if (parts == parts_by_name_.end()) continue;
    for (const void* part : parts->second) want_part(part);
  }
  for (const std::size_t number : wanted) {
    for (const Copy& copy : copies_[number]) {
      std::optional<InlinedCopy> described = describe_copy(info_, copy.die, callers_[copy.caller]);
      if (described) found.copies.push_back(std::move(*described));
    }
  }
  found.copies = in_order(std::move(found.copies));
  return found;
}

}  // namespace moult::internal
