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

#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace moult::symbols {
namespace {

std::string little_endian(std::uint32_t number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

bool contains(std::string_view haystack, std::string_view needle) {
  if (haystack.empty()) return false;
  return ::memmem(haystack.data(), haystack.size(), needle.data(), needle.size()) != nullptr;
}

bool contains_any(std::string_view haystack, const std::vector<std::string>& needles) {
  return std::any_of(needles.begin(), needles.end(),
                     [&](const std::string& needle) { return contains(haystack, needle); });
}

std::string_view section_bytes(const ElfFile& file, const char* name) {
  const Elf_Data* data = file.data(file.section(name));
  if (data == nullptr) return {};
  return {static_cast<const char*>(data->d_buf), data->d_size};
}

/// The bytes by which a unit refers to one of `names`.
std::vector<std::string> name_needles(std::string_view strings, const std::vector<std::string>& names) {
  std::vector<std::string> needles;
  for (const std::string& name : names) {
    const std::string_view terminated(name.c_str(), name.size() + 1);
    needles.emplace_back(terminated);
    for (std::size_t at = 0; (at = strings.find(terminated, at)) != std::string_view::npos; ++at) {
      needles.push_back(little_endian(static_cast<std::uint32_t>(at)));
    }
  }
  return needles;
}

/// A unit of DWARF 5 may have a part of a table of places of strings, and name their numbers in it.
std::string_view strings_of(const DebugUnit& unit, std::string_view table) {
  Dwarf_Die die = unit.skeleton;
  Dwarf_Attribute attribute{};
  Dwarf_Word base = 0;
  constexpr std::size_t header_size = 8;
  if (table.empty() || dwarf_formudata(dwarf_attr(&die, DW_AT_str_offsets_base, &attribute), &base) != 0) return {};
  if (base < header_size || base > table.size()) return table;
  std::uint32_t length = 0;  // of all that follows it
  std::memcpy(&length, table.data() + base - header_size, sizeof length);
  return table.substr(base, length);
}

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
      references_.push_back(little_endian(static_cast<std::uint32_t>(dwarf_dieoffset(&part))));
    }
  }

  bool may_pass_over_units() const {
    const ElfFile& file = info_.file();
    return file.section(".debug_types") == nullptr && file.section(".gnu_debugaltlink") == nullptr &&
           file.section(".debug_sup") == nullptr;
  }

  void read_units_with_names() {
    const bool pass_over = may_pass_over_units();
    if (names_.empty() && pass_over) return;
    const std::vector<std::string> needles = name_needles(section_bytes(info_.file(), ".debug_str"), names_);
    const std::string_view table = section_bytes(info_.file(), ".debug_str_offsets");
    for (std::size_t i = 0; i < unread_.size(); ++i) {
      const DebugUnit& unit = info_.units()[i];
      if (!pass_over || unit.is_split || contains_any(unit.bytes, needles) ||
          contains_any(strings_of(unit, table), needles)) {
        read(i);
      }
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

}  // namespace moult::symbols
