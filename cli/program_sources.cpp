#include "program_sources.hpp"

#include <filesystem>

#include "moult/error.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"

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

/// The unit of main. Link-time optimisation makes a unit of its own for all code; then the file that declares main.
void add_main(ProgramSources& sources, const DebugInfo& info, std::uint64_t main) {
  const DebugUnit* const unit = info.unit_at(main);
  if (unit == nullptr) return;
  if (text_of(unit->skeleton, DW_AT_name) != "<artificial>") return add_name(sources.main, *unit);
  const std::string file = info.source_of(main);
  if (!file.empty()) sources.main.insert(resolved(file, text_of(unit->skeleton, DW_AT_comp_dir)));
}

}  // namespace

ProgramSources sources_of_program(const std::string& file, const std::string& program) {
  ProgramSources sources;
  try {
    const ModuleSymbols symbols(ElfFile::open(file, program));
    const DebugInfo* const info = symbols.debug_info();
    if (info == nullptr) return sources;
    for (const DebugUnit& unit : info->units()) {
      add_name(sources.files, unit);
      const std::string folder = text_of(unit.skeleton, DW_AT_comp_dir);
      if (!folder.empty()) sources.folders.insert(resolved(folder, "/"));
    }
    for (const FunctionMatch& main : symbols.functions().find(NameQuery("main")))
      if (main.original != nullptr) add_main(sources, *info, main.original->begin);
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
