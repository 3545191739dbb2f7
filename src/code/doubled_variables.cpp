// Problem: a header gives the update the program's inline variables, static members of templates and static variables
// of inline functions: a registry, a singleton, a counter. The loader makes them one with the program's, but only where
// the program exports its own and the update exports its copy. With -fvisibility=hidden the update would silently begin
// with a registry of its own.
//
// Approach: by their linkage names, variables are compared that the update defines in writable memory and that the
// program's own file defines, too. A mangled name says whether it is of one source file alone. Of a name that is not
// mangled (C's, or of the global namespace) the debug information says it.
//
// Limits: variables of each thread, of libraries, of the standard library and of moult are not compared, and neither
// are those of a stripped program.
#include "code/doubled_variables.hpp"

#include <dlfcn.h>
#include <gelf.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "base/names.hpp"
#include "elf/elf_file.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"
#include "symbols/program.hpp"
#include "symbols/static_variables.hpp"
#include "symbols/type_index.hpp"
#include "symbols/value_type.hpp"

namespace moult::internal {
namespace {

/// True when a component of the mangled name has the mark of a single file's: "L" before the length of a name, as in
/// _ZN3appL7counterE, or an unnamed namespace.
bool is_of_one_file(std::string_view mangled) {
  for (std::size_t at = 2; at < mangled.size();) {
    const auto is_digit = [&](std::size_t place) {
      return place < mangled.size() && mangled[place] >= '0' && mangled[place] <= '9';
    };
    if (mangled[at] == 'L' && is_digit(at + 1)) {
      const char before = mangled[at - 1];
      if (before == 'Z' || before == 'N' || before == 'E' || (before >= 'a' && before <= 'z')) return true;
    }
    if (!is_digit(at)) {
      ++at;
      continue;
    }
    std::size_t length = 0;
    for (; is_digit(at); ++at)
      length = std::min<std::size_t>(length * 10 + static_cast<std::size_t>(mangled[at] - '0'), mangled.size());
    if (mangled.substr(at, length).starts_with("_GLOBAL__N_1")) return true;
    at += length;
    if (at < mangled.size() && mangled[at] == 'L' && is_digit(at + 1)) return true;
  }
  return false;
}

/// By the mangled name: not of one file alone, no table or guard of the compiler's, and neither the standard library's
/// nor moult's.
bool may_be_shared(std::string_view mangled) {
  if (!mangled.starts_with("_Z")) return !mangled.starts_with("_") && mangled.find('.') == std::string_view::npos;
  if (is_of_one_file(mangled)) return false;
  for (const std::string_view excluded :
       {"_ZT", "_ZGV", "_ZSt", "_ZZSt", "_ZNSt", "_ZZNSt", "_ZNKSt", "_ZZNKSt", "_ZN9__gnu_cxx", "_ZZN9__gnu_cxx",
        "_ZN5moult", "_ZZN5moult", "_ZNK5moult", "_ZZNK5moult"})
    if (mangled.starts_with(excluded)) return false;
  return true;
}

/// By linkage name; true if the update exports it.
using Copies = std::unordered_map<std::string_view, bool>;

bool is_writable(const ElfFile& file, std::size_t section) {
  Elf_Scn* const found = elf_getscn(file.handle(), section);
  GElf_Shdr header{};
  std::size_t names = 0;
  if (found == nullptr || gelf_getshdr(found, &header) == nullptr || (header.sh_flags & SHF_WRITE) == 0) return false;
  if (elf_getshdrstrndx(file.handle(), &names) != 0) return true;
  const char* const name = elf_strptr(file.handle(), names, header.sh_name);
  return name == nullptr || !std::string_view(name).starts_with(".data.rel.ro");
}

/// Adds the variables that the symbol table of that type defines.
void read_table(const ElfFile& file, std::uint32_t type, Copies& copies) {
  Elf_Scn* const section = file.section_of_type(type);
  Elf_Data* const table = file.data(section);
  GElf_Shdr header{};
  if (table == nullptr || gelf_getshdr(section, &header) == nullptr || header.sh_entsize == 0) return;
  const int count = static_cast<int>(table->d_size / header.sh_entsize);
  for (int i = 1; i < count; ++i) {
    GElf_Sym entry{};
    if (gelf_getsym(table, i, &entry) == nullptr || GELF_ST_TYPE(entry.st_info) != STT_OBJECT) continue;
    if (entry.st_shndx == SHN_UNDEF || entry.st_shndx >= SHN_LORESERVE) continue;
    const char* const text = elf_strptr(file.handle(), header.sh_link, entry.st_name);
    if (text == nullptr || !may_be_shared(text) || !is_writable(file, entry.st_shndx)) continue;
    copies[text] |= type == SHT_DYNSYM;
  }
}

/// The loader binds the update's own references to the program's variable.
bool is_bound_to_programs(std::string_view mangled, bool is_exported) {
  return is_exported && ::dlsym(RTLD_DEFAULT, std::string(mangled).c_str()) != nullptr;
}

/// By the debug information: no constant, which may be initialised at run time, and not of one file alone. A name that
/// is not mangled does not tell the latter.
bool is_shared_variable(const ModuleSymbols& update, std::string_view mangled, const std::string& readable) {
  const bool is_mangled = mangled.starts_with("_Z");
  const DebugInfo* const info = update.debug_info();
  if (info == nullptr) return is_mangled;
  const std::string wanted = variable_name(readable);
  bool is_constant = false;
  bool is_external = is_mangled;
  const TypeIndex index(*info, std::string(last_name_of(wanted)));
  for (const StaticVariable& variable : index.variables()) {
    if (variable_name(variable.name) != wanted) continue;
    is_constant = is_constant || value_type_of(variable.die).is_const;
    is_external = is_external || variable.linkage_name == mangled;
  }
  return is_external && !is_constant;
}

}  // namespace

std::vector<std::string> doubled_variables(const std::string& path) {
  const ModuleSymbols update(ElfFile::open(path));
  Copies copies;
  read_table(update.file(), SHT_SYMTAB, copies);
  read_table(update.file(), SHT_DYNSYM, copies);
  std::vector<std::string> doubled;
  if (copies.empty()) return doubled;
  const Program program = Program::of_this_process();
  const ModuleSymbols* const own = program.symbols_of(0);
  if (own == nullptr) return doubled;
  for (const auto& [name, place] : own->functions().data_beginning_with("")) {
    const auto copy = copies.find(name);
    if (copy == copies.end() || is_bound_to_programs(name, copy->second)) continue;
    std::string readable = demangle(std::string(name));
    if (is_shared_variable(update, name, readable)) doubled.push_back(std::move(readable));
  }
  std::sort(doubled.begin(), doubled.end());
  doubled.erase(std::unique(doubled.begin(), doubled.end()), doubled.end());
  return doubled;
}

}  // namespace moult::internal
