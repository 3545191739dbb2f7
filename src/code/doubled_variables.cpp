// Problem: a header gives the update the program's inline variables, static members of templates and static variables
// of inline functions: a registry, a singleton, a counter. The loader makes them one with the program's, but only where
// the program exports its own and the update exports its copy. With -fvisibility=hidden the update would silently begin
// with a registry of its own.
//
// Approach: by their linkage names, variables are compared that the update defines in writable memory and that the
// program's own file defines, too. A mangled name says whether it is of one source file alone. Of a name that is not
// mangled (C's, or of the global namespace) the debug information says it. The loader binds the update's uses to the
// program's variable together with the guard of its initialisation: a guard of its own would initialise it again.
//
// Limits: variables of libraries, of the standard library and of moult are not compared, and neither are those of a
// stripped program.
#include "code/doubled_variables.hpp"

#include <dlfcn.h>
#include <gelf.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/names.hpp"
#include "elf/elf_file.hpp"
#include "elf/symbol_table.hpp"
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

/// By the mangled name: no table or guard of the compiler's, and neither the standard library's nor moult's.
bool is_of_programs_source(std::string_view mangled) {
  if (!mangled.starts_with("_Z")) return !mangled.starts_with("_") && mangled.find('.') == std::string_view::npos;
  for (const std::string_view excluded :
       {"_ZT", "_ZGV", "_ZSt", "_ZZSt", "_ZNSt", "_ZZNSt", "_ZNKSt", "_ZZNKSt", "_ZN9__gnu_cxx", "_ZZN9__gnu_cxx",
        "_ZN5moult", "_ZZN5moult", "_ZNK5moult", "_ZZNK5moult"})
    if (mangled.starts_with(excluded)) return false;
  return true;
}

/// A variable of the update.
struct Copy {
  std::uint64_t size = 0;
  bool is_exported = false;
};

/// What an update defines, by linkage name.
struct Copies {
  std::unordered_map<std::string_view, Copy> variables;
  std::unordered_map<std::string_view, Copy> of_each_thread;
  std::unordered_set<std::string_view> guards;
};

bool is_writable(const ElfFile& file, std::size_t section) {
  Elf_Scn* const found = elf_getscn(file.handle(), section);
  GElf_Shdr header{};
  std::size_t names = 0;
  if (found == nullptr || gelf_getshdr(found, &header) == nullptr || (header.sh_flags & SHF_WRITE) == 0) return false;
  if (elf_getshdrstrndx(file.handle(), &names) != 0) return true;
  const char* const name = elf_strptr(file.handle(), names, header.sh_name);
  return name == nullptr || !std::string_view(name).starts_with(".data.rel.ro");
}

/// Calls `use(name, symbol)` for the variables that the symbol table of that type defines.
template <class Use>
void for_each_variable(const ElfFile& file, std::uint32_t type, const Use& use) {
  SymbolTable(file, type).visit([&](const Elf64_Sym& entry, std::string_view name) {
    const int kind = ELF64_ST_TYPE(entry.st_info);
    const bool is_variable = kind == STT_OBJECT || kind == STT_TLS;
    if (is_variable && entry.st_shndx != SHN_UNDEF && entry.st_shndx < SHN_LORESERVE) use(name, entry);
    return true;
  });
}

/// Adds the variables that the symbol table of that type defines.
void read_table(const ElfFile& file, std::uint32_t type, Copies& copies) {
  for_each_variable(file, type, [&](std::string_view name, const Elf64_Sym& entry) {
    if (name.starts_with("_ZGV")) copies.guards.insert(name);
    if (!is_of_programs_source(name) || !is_writable(file, entry.st_shndx)) return;
    const bool is_of_each_thread = ELF64_ST_TYPE(entry.st_info) == STT_TLS;
    Copy& copy = (is_of_each_thread ? copies.of_each_thread : copies.variables)[name];
    copy.size = entry.st_size;
    copy.is_exported |= type == SHT_DYNSYM;
  });
}

/// The name of the guard of the variable's initialisation (Itanium C++ ABI, 5.1.5.2).
std::string guard_of(std::string_view mangled) {
  if (mangled.starts_with("_Z")) return "_ZGV" + std::string(mangled.substr(2));
  return "_ZGV" + std::to_string(mangled.size()) + std::string(mangled);
}

/// By the debug information: no constant, which may be initialised at run time, and not of one file alone. A name that
/// is not mangled does not tell the latter.
bool is_state(const ModuleSymbols& update, const DoubledVariable& doubled) {
  const bool is_mangled = doubled.mangled.starts_with("_Z");
  const DebugInfo* const info = update.debug_info();
  if (info == nullptr) return is_mangled;
  const std::string wanted = variable_name(doubled.name);
  bool is_constant = false;
  bool is_external = is_mangled;
  const TypeIndex index(*info, std::string(last_name_of(wanted)));
  for (const StaticVariable& variable : index.variables()) {
    if (variable_name(variable.name) != wanted) continue;
    is_constant = is_constant || value_type_of(variable.die).is_const;
    is_external = is_external || variable.linkage_name == doubled.mangled;
  }
  return is_external && !is_constant;
}

DoubledVariable describe(std::string_view mangled, const Copies& copies,
                         const std::unordered_map<std::string_view, std::uintptr_t>& programs_guards) {
  const std::string guard = guard_of(mangled);
  const auto programs = programs_guards.find(guard);
  return {.mangled = std::string(mangled),
          .name = demangle(std::string(mangled)),
          .address = std::nullopt,
          .guard = copies.guards.contains(guard) ? guard : std::string(),
          .programs_guard = programs == programs_guards.end() ? std::nullopt : std::optional(programs->second),
          .is_of_one_file = is_of_one_file(mangled)};
}

}  // namespace

std::vector<DoubledVariable> doubled_variables(const std::string& path,
                                               const std::function<bool(std::string_view)>& uses_by_name) {
  // The dynamic linker binds the update's uses to the variable that the program exports.
  const auto is_bound = [&](std::string_view mangled, const Copy& copy) {
    return copy.is_exported && uses_by_name(mangled) && ::dlsym(RTLD_DEFAULT, std::string(mangled).c_str()) != nullptr;
  };
  const ModuleSymbols update(ElfFile::open(path));
  Copies copies;
  read_table(update.file(), SHT_SYMTAB, copies);
  read_table(update.file(), SHT_DYNSYM, copies);
  std::vector<DoubledVariable> doubled;
  if (copies.variables.empty() && copies.of_each_thread.empty()) return doubled;
  const Program program = Program::of_this_process();
  const ModuleSymbols* const own = program.symbols_of(0);
  if (own == nullptr) return doubled;
  std::map<std::string_view, DoubledVariable> found;
  const std::uintptr_t bias = program.modules().front().bias;
  std::unordered_map<std::string_view, std::uintptr_t> guards;
  for (const auto& [name, place] : own->functions().data_beginning_with("_ZGV")) guards[name] = bias + place.address;
  for (const auto& [name, place] : own->functions().data_beginning_with("")) {
    const auto copy = copies.variables.find(name);
    if (copy == copies.variables.end() || is_bound(name, copy->second)) continue;
    const auto [known, is_first] = found.try_emplace(name, describe(name, copies, guards));
    if (is_first && place.size == copy->second.size)
      known->second.address = bias + place.address;
    else if (known->second.address != bias + place.address)
      known->second.address.reset();
  }
  for_each_variable(own->file(), SHT_SYMTAB, [&](std::string_view name, const Elf64_Sym& entry) {
    const auto copy = copies.of_each_thread.find(name);
    const bool is_of_each_thread = ELF64_ST_TYPE(entry.st_info) == STT_TLS;
    if (is_of_each_thread && copy != copies.of_each_thread.end() && !is_bound(name, copy->second))
      found.try_emplace(name, describe(name, copies, guards));
  });
  for (auto& [name, variable] : found)
    if (is_state(update, variable)) doubled.push_back(std::move(variable));
  std::ranges::sort(doubled, {}, &DoubledVariable::name);
  return doubled;
}

}  // namespace moult::internal
