#include "symbols/unit_filter.hpp"

#include <algorithm>
#include <cstring>

namespace moult::internal {
namespace {

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
    for (std::size_t at = 0; (at = strings.find(terminated, at)) != std::string_view::npos; ++at)
      needles.push_back(reference_to(at));
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

}  // namespace

std::string reference_to(std::uint64_t place) {
  const auto number = static_cast<std::uint32_t>(place);
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

bool contains_any(std::string_view bytes, const std::vector<std::string>& needles) {
  return !bytes.empty() && std::any_of(needles.begin(), needles.end(), [&](const std::string& needle) {
    return ::memmem(bytes.data(), bytes.size(), needle.data(), needle.size()) != nullptr;
  });
}

UnitFilter::UnitFilter(const DebugInfo& info, const std::vector<std::string>& names)
    : passes_over_(info.file().section(".debug_types") == nullptr &&
                   info.file().section(".gnu_debugaltlink") == nullptr && info.file().section(".debug_sup") == nullptr),
      needles_(name_needles(section_bytes(info.file(), ".debug_str"), names)),
      table_(section_bytes(info.file(), ".debug_str_offsets")) {}

bool UnitFilter::may_name(const DebugUnit& unit) const {
  if (!passes_over_ || unit.is_split) return true;
  return contains_any(unit.bytes, needles_) || contains_any(strings_of(unit, table_), needles_);
}

}  // namespace moult::internal
