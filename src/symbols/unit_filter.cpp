#include "symbols/unit_filter.hpp"

#include <algorithm>
#include <utility>

namespace moult::internal {
namespace {

/// False, too, for sections that are compressed in the old way.
bool shares_strings_only(const ElfFile& file) {
  const auto has = [&](const char* section) { return file.section(section) != nullptr; };
  return has(".debug_info") && !has(".debug_types") && !has(".gnu_debugaltlink") && !has(".debug_sup");
}

/// Calls `visit(position)` for each place of one of `names` with its zero byte; of a longer one, too, that ends with
/// it.
template <class Visit>
void visit_names(std::string_view bytes, const std::vector<std::string>& names, const Visit& visit) {
  for (const std::string& name : names)
    visit_occurrences(bytes, {name.c_str(), name.size() + 1}, [&](std::size_t at) {
      visit(at);
      return true;
    });
}

std::vector<const char*> places_of(const std::vector<std::string>& names, std::string_view bytes) {
  std::vector<const char*> places;
  visit_names(bytes, names, [&](std::size_t at) { places.push_back(bytes.data() + at); });
  std::sort(places.begin(), places.end());
  return places;
}

References offsets_of(const std::vector<std::string>& names, std::string_view strings) {
  References offsets;
  visit_names(strings, names, [&](std::size_t at) { offsets.add(at); });
  return offsets;
}

/// A DWARF 5 unit may have its part of a table of string offsets, and refer to strings by their index in it.
std::string_view strings_of(const DebugUnit& unit, std::string_view table) {
  Dwarf_Die die = unit.skeleton;
  Dwarf_Attribute attribute{};
  Dwarf_Word base = 0;
  constexpr std::size_t header_size = 8;
  if (table.empty() || dwarf_formudata(dwarf_attr(&die, DW_AT_str_offsets_base, &attribute), &base) != 0) return {};
  if (base < header_size || base > table.size()) return table;
  std::uint32_t length = 0;  // of the content that follows
  std::memcpy(&length, table.data() + base - header_size, sizeof length);
  return table.substr(base, length);
}

}  // namespace

UnitFilter::UnitFilter(const DebugInfo& info, const std::vector<std::string>& names)
    : UnitFilter(info, places_of(names, info.file().section_bytes(".debug_info")),
                 offsets_of(names, info.file().section_bytes(".debug_str"))) {}

UnitFilter::UnitFilter(const DebugInfo& info, std::vector<const char*> places, References offsets)
    : info_(info),
      passes_over_(shares_strings_only(info.file())),
      places_(std::move(places)),
      offsets_(std::move(offsets)),
      strings_(info.file().section_bytes(".debug_str")),
      table_(info.file().section_bytes(".debug_str_offsets")) {}

bool UnitFilter::may_name(const DebugUnit& unit) const {
  return !passes_over_ || unit.is_split || !own_names_of(unit).empty() || offsets_.occur_in(unit.bytes) ||
         offsets_.occur_in(strings_of(unit, table_));
}

std::span<const char* const> UnitFilter::own_names_of(const DebugUnit& unit) const {
  const auto begin = std::ranges::lower_bound(places_, unit.bytes.data());
  return {begin, std::ranges::lower_bound(begin, places_.end(), unit.bytes.data() + unit.bytes.size())};
}

std::vector<const DebugUnit*> UnitFilter::naming() const {
  return units_with([this](const DebugUnit& unit) { return may_name(unit); });
}

std::vector<const DebugUnit*> UnitFilter::naming_or_referring() const {
  return units_with([this](const DebugUnit& unit) { return unit.refers_out || may_name(unit); });
}

template <class Wanted>
std::vector<const DebugUnit*> UnitFilter::units_with(const Wanted& is_wanted) const {
  std::vector<const DebugUnit*> units;
  FileScan scan(info_.file().section_bytes(".debug_info"));
  for (const DebugUnit& unit : info_.units()) {
    scan.pass(unit.bytes.data());
    if (is_wanted(unit)) units.push_back(&unit);
  }
  return units;
}

bool UnitFilter::may_be_name(const char* text) const {
  const auto offset = static_cast<std::size_t>(text - strings_.data());
  return std::ranges::binary_search(places_, text) || offset >= strings_.size() || offsets_.contains(offset);
}

std::optional<std::vector<const char*>> UnitFilter::places_in(const DebugUnit& unit) const {
  if (!passes_over_ || unit.is_split || offsets_.occur_in(strings_of(unit, table_))) return std::nullopt;
  const std::span<const char* const> own = own_names_of(unit);
  std::vector<const char*> places(own.begin(), own.end());
  offsets_.visit_in(unit.bytes, [&](const char* place) {
    places.push_back(place);
    return true;
  });
  std::sort(places.begin(), places.end());
  return places;
}

}  // namespace moult::internal
