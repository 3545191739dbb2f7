// Why: a search for one function's copies passes over most units, yet ten thousand searches take minutes.
//
// How: one walk over all units notes, for each abstract function with copies, its parts (see debug_info.hpp) and its
// name, and for each name the parts of all functions that have it. A function's copies are then those whose abstract
// function has one of its names, or a part in common with the code at its addresses or with a function of its names.
//
// Limit: the memory, about 50 bytes a copy; it goes with the Program that asked.
#include "symbols/copy_index.hpp"

#include <optional>
#include <set>
#include <utility>

namespace moult::internal {

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
