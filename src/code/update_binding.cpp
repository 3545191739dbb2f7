// Problem: the dynamic linker looks a name up in the program first, whether it is that of a function whose body the
// update changed or that of a variable that must stay one. And it never sees what the program hides from libraries.
//
// Approach: moult owns the copy that will be loaded, and writes the outcome into its tables. A relocation for calls
// (R_X86_64_JUMP_SLOT) of the update's own function becomes a relative one. The symbol of a variable or a function that
// the program hides becomes hidden and absolute: the dynamic linker takes its value without a look-up (glibc 2.28 and
// newer). Calls of a function that the program exports and that is redefined already stay with the dynamic linker,
// which leads them to the program's and so to the new version. So static constructors, and threads that they start,
// find everything as the entry does, and moult writes no code.
//
// Limits: until finish() they call the update's own version of a function that is hidden and redefined, or that is
// redefined just then. Uses that the compiler or the linker has resolved within the file bear no name. Where GNU ld
// lets calls and an address share one slot, the calls lead where the address does, with a warning.
#include "code/update_binding.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/fault.hpp"
#include "base/names.hpp"
#include "code/code_comparison.hpp"
#include "code/hidden_names.hpp"
#include "code/own_calls.hpp"
#include "code/patch.hpp"
#include "elf/file_bytes.hpp"
#include "elf/update_structure.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

constexpr const char* entry_name = "moult_update_entry";

std::optional<CodeAddress> exported(std::string_view mangled) {
  const void* const found = ::dlsym(RTLD_DEFAULT, std::string(mangled).c_str());
  return found == nullptr ? std::nullopt : std::optional(CodeAddress{reinterpret_cast<std::uintptr_t>(found)});
}

struct Close {
  void operator()(void* library) const noexcept { ::dlclose(library); }
};
using LoadedLibrary = std::unique_ptr<void, Close>;

/// Those of the libraries that are loaded.
std::vector<LoadedLibrary> loaded_libraries(const std::vector<std::string>& names) {
  std::vector<LoadedLibrary> libraries;
  for (const std::string& name : names)
    if (LoadedLibrary library(::dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD)); library)
      libraries.push_back(std::move(library));
  return libraries;
}

/// A program replaces functions of its libraries under their names: operator new, malloc. These exist once.
bool is_replaced_library_function(std::string_view mangled) {
  for (const std::string_view operation : {"_Znw", "_Zna", "_Zdl", "_Zda"})
    if (mangled.starts_with(operation)) return true;
  return !mangled.starts_with("_Z") && ::dlsym(RTLD_NEXT, std::string(mangled).c_str()) != nullptr;
}

bool is_exported_function(const Elf64_Sym& symbol) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && ELF64_ST_BIND(symbol.st_info) != STB_LOCAL &&
         ELF64_ST_VISIBILITY(symbol.st_other) == STV_DEFAULT && symbol.st_shndx != SHN_UNDEF;
}

/// The dynamic linker may have protected the slots when it had written them.
void make_writable(std::uintptr_t slot, std::vector<Mapping>& mappings) {
  const std::uintptr_t page = slot / page_size() * page_size();
  const Mapping* const mapping = find_mapping(mappings, slot);
  if (mapping == nullptr || allows(mapping->protection, Protection::write)) return;
  if (!address_space().protect(page, page_size(), mapping->protection | Protection::write))
    throw Error(ErrorCode::system,
                "the update's global offset table cannot be made writable; link it with -Wl,-z,lazy");
  mappings = address_space().mappings();
}

}  // namespace

UpdateBinding::UpdateBinding(const PrivateCopy& copy) : copy_(copy) {
  const FileBytes file(copy.name());
  const UpdateStructure structure = require_update_structure(file);
  const std::vector<Elf64_Shdr>& sections = structure.sections;
  const auto table = std::ranges::find(sections, std::uint32_t{SHT_DYNSYM}, &Elf64_Shdr::sh_type);
  if (table == sections.end()) return;
  symbols_place_ = table->sh_offset;
  symbols_ = file.table<Elf64_Sym>(table->sh_offset, table->sh_size, "a symbol");
  is_used_.resize(symbols_.size());
  const Elf64_Shdr& names = sections.at(table->sh_link);
  names_ = file.read(names.sh_offset, names.sh_size, "a table of names");
  read_needed(file, structure);
  for (std::size_t i = 1; i < symbols_.size(); ++i) numbers_.emplace(name_of(symbols_[i]), i);
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_RELA || (section.sh_flags & SHF_ALLOC) == 0) continue;
    std::uint64_t place = section.sh_offset;
    for (const Elf64_Rela& entry : file.table<Elf64_Rela>(section.sh_offset, section.sh_size, "a relocation")) {
      const std::size_t number = ELF64_R_SYM(entry.r_info);
      if (number < symbols_.size()) {
        relocations_.push_back({place, entry});
        is_used_[number] = true;
      }
      place += sizeof entry;
    }
  }
  read_called_slots(file, structure);
}

/// The dynamic symbols' names and those of libraries are in one table.
void UpdateBinding::read_needed(const FileBytes& file, const UpdateStructure& structure) {
  const auto section = std::ranges::find(structure.sections, std::uint32_t{SHT_DYNAMIC}, &Elf64_Shdr::sh_type);
  if (section == structure.sections.end()) return;
  for (const Elf64_Dyn& entry : file.table<Elf64_Dyn>(section->sh_offset, section->sh_size, "a dynamic entry"))
    if (entry.d_tag == DT_NEEDED) needed_.emplace_back(name_at(entry.d_un.d_val));
}

/// Looks for the bytes of `call [rip + d]` and `jmp [rip + d]`. Bytes that only look like them lead to no slot.
void UpdateBinding::read_called_slots(const FileBytes& file, const UpdateStructure& structure) {
  constexpr std::size_t length = 6;
  std::set<std::uint64_t> slots;
  for (const Relocation& each : relocations_)
    if (ELF64_R_TYPE(each.entry.r_info) == R_X86_64_GLOB_DAT &&
        is_exported_function(symbols_[ELF64_R_SYM(each.entry.r_info)]))
      slots.insert(each.entry.r_offset);
  if (slots.empty()) return;
  for (const Elf64_Shdr& section : structure.sections) {
    if (section.sh_type != SHT_PROGBITS || (section.sh_flags & SHF_EXECINSTR) == 0) continue;
    const std::string code = file.read(section.sh_offset, section.sh_size, "code");
    for (std::size_t i = 0; i + length <= code.size(); ++i) {
      if (code[i] != '\xff' || (code[i + 1] != '\x15' && code[i + 1] != '\x25')) continue;
      std::int32_t displacement = 0;
      std::memcpy(&displacement, code.data() + i + 2, sizeof displacement);
      const std::uint64_t slot = section.sh_addr + i + length + static_cast<std::uint64_t>(std::int64_t{displacement});
      if (slots.contains(slot)) called_slots_.insert(slot);
    }
  }
}

std::string_view UpdateBinding::name_at(std::uint64_t place) const {
  return place < names_.size() ? std::string_view(names_.c_str() + place) : std::string_view();
}

std::string_view UpdateBinding::name_of(const Elf64_Sym& symbol) const { return name_at(symbol.st_name); }

std::optional<std::size_t> UpdateBinding::find(std::string_view mangled) const {
  const auto found = numbers_.find(mangled);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

template <class Entry>
void UpdateBinding::change(std::uint64_t place, const Entry& entry) {
  changes_.push_back({place, std::string(reinterpret_cast<const char*>(&entry), sizeof entry)});
}

void UpdateBinding::keep_calls() {
  HiddenFunctions hidden;
  for (const Relocation& relocation : relocations_) {
    Elf64_Rela entry = relocation.entry;
    const auto type = ELF64_R_TYPE(entry.r_info);
    const bool is_shared = type == R_X86_64_GLOB_DAT && called_slots_.contains(entry.r_offset);
    if (type != R_X86_64_JUMP_SLOT && !is_shared) continue;
    const Elf64_Sym& symbol = symbols_[ELF64_R_SYM(entry.r_info)];
    const std::string_view name = name_of(symbol);
    if (!is_exported_function(symbol) || is_replaced_library_function(name)) continue;
    std::optional<CodeAddress> programs = exported(name);
    if (is_shared) {
      const CodeAddress copy{symbol.st_value};
      if (programs) shared_slots_.push_back({demangle(std::string(name)), *programs, {copy, copy + symbol.st_size}});
      continue;
    }
    const bool is_led_by_linker = programs && is_redirected(*programs);
    if (!programs) programs = hidden.find(name);
    if (!programs) continue;
    calls_.push_back({*programs, symbol.st_value, entry.r_offset});
    if (is_led_by_linker) continue;
    entry.r_info = ELF64_R_INFO(0, R_X86_64_RELATIVE);
    entry.r_addend = static_cast<std::int64_t>(symbol.st_value);
    change(relocation.place, entry);
  }
}

std::optional<std::size_t> UpdateBinding::find_used(std::string_view mangled) const {
  const std::optional<std::size_t> number = find(mangled);
  if (!number || !is_used_[*number] || ELF64_ST_VISIBILITY(symbols_[*number].st_other) != STV_DEFAULT)
    return std::nullopt;
  return number;
}

std::optional<std::size_t> UpdateBinding::find_bindable(std::string_view mangled) const {
  const std::optional<std::size_t> number = find_used(mangled);
  return number && ELF64_ST_TYPE(symbols_[*number].st_info) != STT_TLS ? number : std::nullopt;
}

bool UpdateBinding::bind(std::string_view mangled, std::uintptr_t address) {
  const std::optional<std::size_t> number = find_bindable(mangled);
  if (!number) return false;
  Elf64_Sym& symbol = symbols_[*number];
  symbol.st_shndx = SHN_ABS;
  symbol.st_value = address;
  symbol.st_other = STV_HIDDEN;
  change(symbols_place_ + *number * sizeof symbol, symbol);
  return true;
}

std::vector<std::string> UpdateBinding::missing() const {
  std::vector<std::string> names;
  const std::vector<LoadedLibrary> libraries = loaded_libraries(needed_);
  if (libraries.size() < needed_.size()) return names;
  for (std::size_t i = 1; i < symbols_.size(); ++i) {
    const Elf64_Sym& symbol = symbols_[i];
    std::string name(name_of(symbol));
    if (symbol.st_shndx != SHN_UNDEF || ELF64_ST_BIND(symbol.st_info) != STB_GLOBAL || !can_bind(name)) continue;
    const auto has_it = [&](const LoadedLibrary& each) { return ::dlsym(each.get(), name.c_str()) != nullptr; };
    if (!exported(name) && std::ranges::none_of(libraries, has_it)) names.push_back(std::move(name));
  }
  return names;
}

void UpdateBinding::write() {
  copy_.overwrite(changes_);
  changes_.clear();
}

std::vector<std::string> UpdateBinding::finish(const void* entry) const {
  MOULT_FAULT("code.update_binding.finish");
  std::vector<std::string> warnings;
  const std::optional<std::size_t> number = find(entry_name);
  if (!number) return warnings;
  const std::uintptr_t bias = reinterpret_cast<std::uintptr_t>(entry) - symbols_[*number].st_value;
  std::vector<Mapping> mappings = address_space().mappings();
  std::vector<OwnCall> calls;
  for (const KeptCall& call : calls_) {
    calls.push_back({call.function, CodeAddress{bias + call.copy}, bias + call.slot});
    make_writable(calls.back().slot, mappings);
  }
  add_own_calls(calls, is_redirected);
  for (const SharedSlot& shared : shared_slots_) {
    const std::optional<CodeRange> programs = unwind_entry_at(shared.function);
    if (programs && is_same_code(*programs, {shared.copy.begin + bias, shared.copy.end + bias})) continue;
    warnings.push_back(shared.name +
                       ": the update has a version of its own, but its calls lead to the program's, since GNU ld has "
                       "linked them to where the function's address is; link the update with -fuse-ld=lld");
  }
  return warnings;
}

}  // namespace moult::internal
