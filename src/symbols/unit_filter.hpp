// Problem: reading every entry of a big program's debug information takes seconds, and a question is about a few.
//
// Approach: a unit with an entry of a certain name contains the name itself, or the offset of the name in the string
// table. So the bytes of the units are searched for these, at some gigabytes a second, and the other units are not
// read.
//
// Limits: this does not work where units share more than strings (type units, dwz), or for split units. A name of one
// letter occurs by accident in nearly every unit.
#pragma once

#include <bitset>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "elf/file_scan.hpp"
#include "symbols/debug_info.hpp"

namespace moult::internal {

/// Offsets that are looked for in bytes, where each takes four. A pass for one takes a third of a pass for all of them.
class References final {
 public:
  void add(std::uint64_t offset) {
    const auto number = static_cast<std::uint32_t>(offset);
    low_halves_->set(number & 0xffffU);
    all_.insert(number);
  }
  bool empty() const noexcept { return all_.empty(); }
  bool contains(std::uint64_t offset) const { return all_.contains(static_cast<std::uint32_t>(offset)); }

  /// Calls `visit(place)` for each place in `bytes` with one of them. Stops when a visit returns false, and returns
  /// false then.
  template <class Visit>
  bool visit_in(std::string_view bytes, const Visit& visit) const {
    constexpr std::size_t few = 2;
    if (bytes.size() < sizeof(std::uint32_t)) return true;
    if (all_.size() > few) return visit_in_one_pass(bytes, visit);
    return std::all_of(all_.begin(), all_.end(), [&](const std::uint32_t& each) {
      return visit_occurrences(bytes, {reinterpret_cast<const char*>(&each), sizeof each},
                               [&](std::size_t at) { return visit(bytes.data() + at); });
    });
  }
  bool occur_in(std::string_view bytes) const {
    return !visit_in(bytes, [](const char*) { return false; });
  }

 private:
  using LowHalves = std::bitset<0x10000>;

  template <class Visit>
  bool visit_in_one_pass(std::string_view bytes, const Visit& visit) const {
    FileScan scan(bytes);
    const LowHalves& low_halves = *low_halves_;
    const char* const end = bytes.data() + bytes.size() - sizeof(std::uint32_t) + 1;
    for (const char* at = bytes.data(); at != end;) {
      scan.pass(at);
      for (const char* const piece_end = at + std::min<std::ptrdiff_t>(end - at, FileScan::piece); at != piece_end;
           ++at)
        if (low_halves[number_at<std::uint16_t>(at)] && contains(number_at<std::uint32_t>(at)) && !visit(at))
          return false;
    }
    return true;
  }

  template <class Number>
  static Number number_at(const char* place) {
    Number number{};
    std::memcpy(&number, place, sizeof number);
    return number;
  }

  std::unique_ptr<LowHalves> low_halves_ = std::make_unique<LowHalves>();
  std::unordered_set<std::uint32_t> all_;
};

class UnitFilter final {
 public:
  /// For entries with one of `names`. `info` must outlive the filter.
  UnitFilter(const DebugInfo& info, const std::vector<std::string>& names);
  /// For entries with a name at one of `places`, which are sorted, or at one of the offsets in the string table.
  UnitFilter(const DebugInfo& info, std::vector<const char*> places, References offsets);

  /// True when the filter may exclude units.
  bool passes_over() const noexcept { return passes_over_; }
  /// The units that may have such an entry, in order.
  std::vector<const DebugUnit*> naming() const;
  /// The same, and the units that may refer to such an entry in another unit.
  std::vector<const DebugUnit*> naming_or_referring() const;
  /// The places of the names and of references to them in the unit, in order. Nothing if they may be elsewhere.
  std::optional<std::vector<const char*>> places_in(const DebugUnit& unit) const;
  /// False only when the string, an entry's, is not one of the names. Does not read it.
  bool may_be_name(const char* text) const;

 private:
  bool may_name(const DebugUnit& unit) const;
  std::span<const char* const> own_names_of(const DebugUnit& unit) const;
  template <class Wanted>
  std::vector<const DebugUnit*> units_with(const Wanted& is_wanted) const;

  const DebugInfo& info_;
  bool passes_over_;
  std::vector<const char*> places_;  ///< of names that stand in the units themselves
  References offsets_;
  std::string_view strings_;
  std::string_view table_;  ///< of string offsets
};

}  // namespace moult::internal
