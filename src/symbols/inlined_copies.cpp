// Why: a function that was inlined cannot be replaced by a jump at its entry alone, because its copies never get there.
//
// How: each copy is a DW_TAG_inlined_subroutine that points at an abstract function. It is the wanted one when it
// shares a part (see debug_info.hpp) with the code at the function's address, or, in other compilation units, which
// have parts of their own for functions of a header, when it has the function's mangled name.
//
// Reading every DIE of a big program takes seconds. So first the bytes of each unit are searched for what an abstract
// function of that name must contain (where the name stands in the table of strings, or the name itself), and for the
// places of the parts found so, which is how units refer to one another after link-time optimisation. Units with
// neither are passed over. It is not tried where units share more than that: type units, dwz, split units.
//
// Limits: a copy whose instructions all vanished may be left out by the compiler. Units compiled without -g are blind
// spots; that the function's own unit is one is reported, others cannot be told.
#include "symbols/inlined_copies.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "symbols/unit_filter.hpp"

namespace moult::internal {
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
    if (unit != nullptr) read(static_cast<std::size_t>(unit - info_.units().data()));
  }

  void add_part(Dwarf_Die part) {
    if (parts_.insert(part.addr).second) {
      references_.push_back(reference_to(dwarf_dieoffset(&part)));
    }
  }

  void read_units_with_names() {
    const UnitFilter filter(info_, names_);
    if (names_.empty() && filter.passes_over()) return;
    for (std::size_t i = 0; i < unread_.size(); ++i) {
      if (filter.may_name(info_.units()[i])) read(i);
    }
  }

  void read_units_with_references() {
    for (std::size_t i = 0; i < unread_.size(); ++i) {
      const DebugUnit& unit = info_.units()[i];
      if (unread_[i] && unit.refers_out && contains_any(unit.bytes, references_)) read(i);
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
  std::vector<std::string> references_;             ///< the bytes by which other units refer to the parts
  std::unordered_map<const void*, bool> verdicts_;  ///< by abstract function
  std::vector<InlinedCopy> copies_;
  bool is_complete_ = false;
};

}  // namespace

InlinedCopies find_inlined_copies(const DebugInfo& info, const InlinedFunction& function) {
  return Search(info, function).run();
}

}  // namespace moult::internal
