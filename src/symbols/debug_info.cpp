#include "symbols/debug_info.hpp"

#include <algorithm>
#include <filesystem>

#include "elf/file_scan.hpp"
#include "symbols/die_attributes.hpp"

namespace moult::internal {
namespace {

/// DW_FORM_indirect may stand for any.
constexpr std::uint64_t forms_out_of_unit[] = {DW_FORM_ref_addr, DW_FORM_GNU_ref_alt, DW_FORM_ref_sup4,
                                               DW_FORM_ref_sup8, DW_FORM_indirect};

/// True when an abbreviation at `offset` has an attribute that may refer to another unit. An abbreviation is a code, a
/// tag, a flag for children, and pairs of attribute and form; zeros end the pairs and the table (DWARF 5, 7.5.3).
bool any_refers_out(std::string_view table, std::uint64_t offset) {
  const auto next_leb128 = [&] {
    std::uint64_t number = 0;
    for (unsigned shift = 0; offset < table.size(); shift += 7) {
      const unsigned char byte = static_cast<unsigned char>(table[offset++]);
      if (shift < 64) number |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) break;
    }
    return number;
  };
  while (next_leb128() != 0) {
    next_leb128();  // tag
    ++offset;       // children
    for (;;) {
      const std::uint64_t attribute = next_leb128();
      const std::uint64_t form = next_leb128();
      if (std::ranges::find(forms_out_of_unit, form) != std::end(forms_out_of_unit)) return true;
      if (form == DW_FORM_implicit_const) next_leb128();
      if (attribute == 0 && form == 0) break;
    }
  }
  return false;
}

bool has_references_out(const ElfFile& file, std::uint64_t abbreviations) {
  const std::string_view table = file.section_bytes(".debug_abbrev");
  // Without a table of the usual name, nothing can be excluded.
  return table.empty() || any_refers_out(table, abbreviations);
}

/// Adds the inlined calls at the address, the outermost one first.
void add_copies_at(std::uint64_t address, const Dwarf_Die& scope, std::vector<Dwarf_Die>& copies, int depth = 0) {
  constexpr int deepest = 300;  // only damaged files nest deeper
  if (depth > deepest) return;
  for_each_child(scope, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) == DW_TAG_subprogram || dwarf_haspc(&child, address) <= 0) return;
    if (dwarf_tag(&child) == DW_TAG_inlined_subroutine) copies.push_back(child);
    add_copies_at(address, child, copies, depth + 1);
  });
}

/// Matches the path in the source tree and the installed one.
bool is_header_of_moult(std::string_view file) { return file.find("include/moult/") != std::string_view::npos; }

}  // namespace

DebugInfo::DebugInfo(const ElfFile& file, Dwarf* handle)
    : file_(&file), handle_(handle, End{failed_reader_allocations()}), code_(file.code_sections()) {}

std::unique_ptr<DebugInfo> DebugInfo::open(const ElfFile& file) {
  if (file.section(".debug_info") == nullptr && file.section(".zdebug_info") == nullptr) return nullptr;
  Dwarf* handle = dwarf_begin_elf(file.handle(), DWARF_C_READ, nullptr);
  if (handle == nullptr) return nullptr;
  dwarf_new_oom_handler(handle, throw_reader_out_of_memory);
  std::unique_ptr<DebugInfo> info(new DebugInfo(file, handle));
  info->open_supplementary();
  info->read_units(file, handle);
  if (info->supplementary_handle_) info->read_units(*info->supplementary_->file, info->supplementary_handle_.get());
  return info->units_.empty() ? nullptr : std::move(info);
}

/// libdw would take a file of another build, too.
void DebugInfo::open_supplementary() {
  supplementary_ = find_supplementary_debug(*file_);
  if (!supplementary_ || !supplementary_->file) return;
  Dwarf* const handle = dwarf_begin_elf(supplementary_->file->handle(), DWARF_C_READ, nullptr);
  if (handle == nullptr) return;
  dwarf_new_oom_handler(handle, throw_reader_out_of_memory);
  supplementary_handle_ = {handle, End{failed_reader_allocations()}};
  dwarf_setalt(handle_.get(), handle);
}

void DebugInfo::read_units(const ElfFile& file, Dwarf* handle) {
  // libdw has uncompressed it.
  std::string_view section = file.section_bytes(".debug_info");
  if (section.empty()) section = file.section_bytes(".zdebug_info");
  ReferencesOut references_out;
  Dwarf_Off offset = 0;
  Dwarf_Off next = 0;
  Dwarf_Off abbreviations = 0;
  std::size_t header_size = 0;
  FileScan scan(section);
  while (dwarf_next_unit(handle, offset, &next, &header_size, nullptr, &abbreviations, nullptr, nullptr, nullptr,
                         nullptr) == 0) {
    // A damaged unit claims more than there is. The ones before it can still be read.
    if (next > section.size() || next <= offset) return;
    scan.pass(section.data() + offset);
    DebugUnit unit;
    if (dwarf_offdie(handle, offset + header_size, &unit.skeleton) != nullptr) {
      std::uint8_t kind = 0;
      Dwarf_Die split{};  // for a type unit, its type
      dwarf_cu_info(unit.skeleton.cu, nullptr, &kind, nullptr, &split, nullptr, nullptr, nullptr);
      const auto [known, is_new] = references_out.try_emplace(abbreviations, false);
      if (is_new) known->second = has_references_out(file, abbreviations);
      unit.refers_out = known->second;
      unit.is_split = kind == DW_UT_skeleton;
      unit.is_type = kind == DW_UT_type;
      unit.is_missing = unit.is_split && split.addr == nullptr;
      unit.content = unit.is_split && split.addr != nullptr ? split : unit.skeleton;
      unit.bytes = {static_cast<const char*>(unit.skeleton.addr) - header_size, next - offset};
      units_.push_back(unit);
    }
    offset = next;
  }
}

void DebugInfo::read_unit_ranges() const {
  std::vector<UnitRange> ranges;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    Dwarf_Die die = units_[i].skeleton;
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0;) {
      if (is_code(begin)) ranges.push_back({begin, end, i});
    }
  }
  std::sort(ranges.begin(), ranges.end(), [](const UnitRange& a, const UnitRange& b) { return a.begin < b.begin; });
  ranges_ = std::move(ranges);
}

const DebugUnit* DebugInfo::unit_at(std::uint64_t address) const {
  if (ranges_.empty()) read_unit_ranges();
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), address,
                       [](std::uint64_t wanted, const UnitRange& range) { return wanted < range.begin; });
  if (after == ranges_.begin() || std::prev(after)->end <= address) return nullptr;
  return &units_[std::prev(after)->unit];
}

std::vector<CodeRange> DebugInfo::ranges_of(const DebugUnit& unit) const {
  if (ranges_.empty()) read_unit_ranges();
  std::vector<CodeRange> found;
  for (const UnitRange& range : ranges_)
    if (&units_[range.unit] == &unit) found.push_back({CodeAddress{range.begin}, CodeAddress{range.end}});
  return found;
}

const DebugInfo::UnitFunctions& DebugInfo::functions_of(const DebugUnit& unit) const {
  if (const auto known = functions_.find(&unit); known != functions_.end()) return known->second;
  UnitFunctions functions;
  std::size_t order = 0;
  visit_all(unit.content, nullptr, [&](Dwarf_Die& die, const Dwarf_Die*) {
    if (dwarf_tag(&die) != DW_TAG_subprogram) return true;
    Dwarf_Addr base = 0;
    FunctionRange range{0, 0, order++, die};
    for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &range.begin, &range.end)) > 0;) {
      functions.ranges.push_back(range);
    }
    return true;
  });
  std::sort(functions.ranges.begin(), functions.ranges.end(),
            [](const FunctionRange& a, const FunctionRange& b) { return a.begin < b.begin; });
  std::uint64_t last = 0;
  for (const FunctionRange& range : functions.ranges) functions.last_end.push_back(last = std::max(last, range.end));
  return functions_.emplace(&unit, std::move(functions)).first->second;
}

std::optional<Dwarf_Die> DebugInfo::function_at(std::uint64_t address) const {
  const DebugUnit* unit = unit_at(address);
  if (unit == nullptr) return std::nullopt;
  const UnitFunctions& functions = functions_of(*unit);
  const auto after =
      std::upper_bound(functions.ranges.begin(), functions.ranges.end(), address,
                       [](std::uint64_t wanted, const FunctionRange& range) { return wanted < range.begin; });
  const FunctionRange* first = nullptr;
  for (std::size_t i = static_cast<std::size_t>(after - functions.ranges.begin());
       i-- > 0 && functions.last_end[i] > address;) {
    const FunctionRange& range = functions.ranges[i];
    if (range.end > address && (first == nullptr || range.order < first->order)) first = &range;
  }
  return first != nullptr ? std::optional<Dwarf_Die>(first->die) : std::nullopt;
}

std::string DebugInfo::source_of(std::uint64_t address) const {
  const std::optional<Dwarf_Die> die = function_at(address);
  return die ? file_named_by(*die, DW_AT_decl_file) : "";
}

bool DebugInfo::is_compiled_at(std::uint64_t entry) const {
  if (function_at(entry)) return true;
  const DebugUnit* const unit = unit_at(entry);
  if (unit == nullptr) return false;
  Dwarf_Die die = unit->skeleton;
  Dwarf_Line* const line = dwarf_getsrc_die(&die, entry);
  Dwarf_Addr begin = 0;
  return line != nullptr && dwarf_lineaddr(line, &begin) == 0 && begin == entry;
}

std::optional<SourceLine> DebugInfo::line_of(std::uint64_t address) const {
  const DebugUnit* unit = unit_at(address);
  if (unit == nullptr) return std::nullopt;
  Dwarf_Die die = unit->skeleton;
  Dwarf_Line* line = dwarf_getsrc_die(&die, address);
  int number = 0;
  if (line == nullptr || dwarf_lineno(line, &number) != 0 || number <= 0) return std::nullopt;
  const char* file = dwarf_linesrc(line, nullptr, nullptr);
  if (file == nullptr) return std::nullopt;
  return SourceLine{std::filesystem::path(file).lexically_normal().string(), number};
}

std::optional<SourceLine> DebugInfo::own_line_of(std::uint64_t address) const {
  std::optional<SourceLine> line = line_of(address);
  if (!line || !is_header_of_moult(line->file)) return line;
  std::vector<Dwarf_Die> copies;
  if (const std::optional<Dwarf_Die> function = function_at(address)) add_copies_at(address, *function, copies);
  for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) {
    SourceLine call{file_named_by(*copy, DW_AT_call_file),
                    static_cast<int>(number_of(*copy, DW_AT_call_line).value_or(0))};
    if (!call.file.empty() && call.line > 0 && !is_header_of_moult(call.file)) return call;
  }
  return line;
}

std::string DebugInfo::missing_file() const {
  if (lacks_supplementary_file()) return supplementary_->name;
  for (const DebugUnit& unit : units_) {
    if (!unit.is_missing) continue;
    for (const unsigned attribute : {DW_AT_dwo_name, DW_AT_GNU_dwo_name}) {
      Dwarf_Die die = unit.skeleton;
      Dwarf_Attribute name{};
      const char* text = dwarf_formstring(dwarf_attr(&die, attribute, &name));
      if (text != nullptr) return text;
    }
    return "a .dwo file";
  }
  return {};
}

std::string DebugInfo::missing_file_problem(const std::string& module) const {
  const std::string missing = missing_file();
  if (missing.empty()) return {};
  return "debug information of " + module + " is in " + missing +
         (lacks_supplementary_file()
              ? ", which is missing, of another build, or made by dwz --dwarf-5; put it back or do without dwz -m"
              : ", which cannot be opened; put it back or compile without -gsplit-dwarf");
}

std::vector<Dwarf_Die> parts_of(const Dwarf_Die& die) {
  constexpr std::size_t most = 8;  // a damaged file may have a cycle
  std::vector<Dwarf_Die> parts{die};
  while (parts.size() < most) {
    std::optional<Dwarf_Die> next = referred_by(parts.back(), DW_AT_abstract_origin);
    if (!next) next = referred_by(parts.back(), DW_AT_specification);
    if (!next) break;
    parts.push_back(*next);
  }
  return parts;
}

std::string_view linkage_name_of(const std::vector<Dwarf_Die>& parts) {
  for (Dwarf_Die part : parts) {
    for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
      Dwarf_Attribute name{};
      const char* text = dwarf_formstring(dwarf_attr(&part, attribute, &name));
      if (text != nullptr) return text;
    }
  }
  return {};
}

std::optional<std::uint64_t> code_of(const Dwarf_Die& die) {
  Dwarf_Die subprogram = die;
  Dwarf_Addr begin = 0;
  if (dwarf_entrypc(&subprogram, &begin) == 0) return begin;
  Dwarf_Addr base = 0;
  Dwarf_Addr end = 0;
  if (dwarf_ranges(&subprogram, 0, &base, &begin, &end) > 0) return begin;
  return std::nullopt;
}

// dwarf_decl_file asserts that the unit has a table of files; a unit in a .dwo file may lack one.
std::string file_named_by(const Dwarf_Die& die, unsigned attribute) {
  for (Dwarf_Die part : parts_of(die)) {
    Dwarf_Attribute found{};
    Dwarf_Word number = 0;
    Dwarf_Die unit{};
    Dwarf_Files* files = nullptr;
    std::size_t count = 0;
    if (dwarf_formudata(dwarf_attr(&part, attribute, &found), &number) != 0) continue;
    if (dwarf_diecu(&part, &unit, nullptr, nullptr) == nullptr || dwarf_getsrcfiles(&unit, &files, &count) != 0)
      return {};
    const char* file = number < count ? dwarf_filesrc(files, number, nullptr, nullptr) : nullptr;
    return file != nullptr ? std::filesystem::path(file).lexically_normal().string() : std::string();
  }
  return {};
}

SourceLine declared_at(const Dwarf_Die& die) {
  Dwarf_Die from = die;
  int line = 0;
  std::string file = file_named_by(die, DW_AT_decl_file);
  if (file.empty() || dwarf_decl_line(&from, &line) != 0) return {};
  return {std::move(file), line};
}

}  // namespace moult::internal
