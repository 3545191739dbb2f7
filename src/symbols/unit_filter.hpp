// Which compilation units need not be read, by their bytes alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/debug_info.hpp"

namespace moult::internal {

/// The bytes by which a unit refers to what stands at that place of a section.
std::string reference_to(std::uint64_t place);

bool contains_any(std::string_view bytes, const std::vector<std::string>& needles);

/// Reading every DIE of a big program takes seconds. So first the bytes of a unit are searched for what an entry of a
/// certain name must contain: where the name stands in the table of strings, or the name itself. This is not tried
/// where units share more than strings (type units, dwz), nor for split units.
class UnitFilter final {
 public:
  /// `info` must outlive the filter.
  UnitFilter(const DebugInfo& info, const std::vector<std::string>& names);

  /// True when units may be passed over at all.
  bool passes_over() const noexcept { return passes_over_; }
  /// False only when no entry of the unit has one of the names.
  bool may_name(const DebugUnit& unit) const;

 private:
  bool passes_over_;
  std::vector<std::string> needles_;
  std::string_view table_;  ///< of places of strings
};

}  // namespace moult::internal
