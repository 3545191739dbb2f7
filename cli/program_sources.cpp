#include "program_sources.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "elf/separate_debug.hpp"
#include "moult/error.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/program.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

std::string text_of(Dwarf_Die die, unsigned attribute) {
  Dwarf_Attribute found{};
  const char* const text = dwarf_formstring(dwarf_attr(&die, attribute, &found));
  return text != nullptr ? text : "";
}

void add_name(std::set<std::string>& files, const DebugUnit& unit) {
  Dwarf_Die die = unit.is_missing ? unit.skeleton : unit.content;
  if (dwarf_tag(&die) == DW_TAG_partial_unit) return;
  const std::string name = text_of(die, DW_AT_name);
  if (name.empty()) return;
  files.insert(resolved(name, text_of(unit.skeleton, DW_AT_comp_dir)));
  if (!fs::path(name).is_absolute()) files.insert(fs::path(name).lexically_normal().string());
}

void add_units(ProgramSources& sources, const ElfFile& file, std::uint64_t main) {
  const std::unique_ptr<DebugInfo> info = DebugInfo::open(file);
  if (info == nullptr) return;
  for (const DebugUnit& unit : info->units()) {
    add_name(sources.files, unit);
    const std::string folder = text_of(unit.skeleton, DW_AT_comp_dir);
    if (!folder.empty()) sources.folders.insert(resolved(folder, "/"));
  }
  if (const DebugUnit* const unit = info->unit_at(main)) add_name(sources.main, *unit);
}

/// An address of the file; 0 when there is no main.
std::uint64_t address_of_main(const std::string& path) {
  const std::vector<FunctionSymbol> found = Program::of_file(path).find("main");
  return found.empty() ? 0 : value(found.front().range.begin);
}

}  // namespace

ProgramSources sources_of_program(const std::string& program) {
  ProgramSources sources;
  try {
    const ElfFile file = ElfFile::open(program);
    const std::uint64_t main = address_of_main(program);
    add_units(sources, file, main);
    const std::optional<ElfFile> separate = find_separate_debug(file);
    if (separate && sources.files.empty()) add_units(sources, *separate, main);
  } catch (const moult::Error&) {
    // Without it, the names alone select the database's entries.
  }
  return sources;
}

std::string resolved(const std::string& path, const std::string& folder) {
  const fs::path whole = (fs::path(folder) / path).lexically_normal();
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(whole, error);
  return error ? whole.string() : canonical.string();
}

}  // namespace moult::internal::cli
