#include "source_files.hpp"

#include <elfutils/libdw.h>

#include <memory>

namespace moult::internal::cli {

namespace fs = std::filesystem;

std::set<fs::path> source_files_of(const ProgramBuild& build) {
  std::set<fs::path> files;
  for (const CompileCommand* const each : build.commands()) files.insert(fs::weakly_canonical(each->file));
  const ElfFile program = ElfFile::open(build.file(), build.program());
  const std::unique_ptr<DebugInfo> debug_info = DebugInfo::open(program);
  if (debug_info == nullptr) return files;
  for (const DebugUnit& unit : debug_info->units()) {
    Dwarf_Die die = unit.skeleton;
    Dwarf_Files* table = nullptr;
    std::size_t count = 0;
    if (::dwarf_getsrcfiles(&die, &table, &count) != 0) continue;
    for (std::size_t i = 0; i < count; ++i) {
      const char* const name = ::dwarf_filesrc(table, i, nullptr, nullptr);
      if (name == nullptr || *name != '/' || std::string_view(name).starts_with("/usr/")) continue;
      files.insert(fs::path(name).lexically_normal());
    }
  }
  return files;
}

}  // namespace moult::internal::cli
