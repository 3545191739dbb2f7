#include "elf/dynamic_linking.hpp"

#include "elf/symbol_table.hpp"

namespace moult::internal {

std::vector<std::string> imports_of(const ElfFile& file) {
  std::vector<std::string> names;
  SymbolTable(file, SHT_DYNSYM).visit([&](const Elf64_Sym& symbol, std::string_view name) {
    if (symbol.st_shndx == SHN_UNDEF && !name.empty()) names.emplace_back(name);
    return true;
  });
  return names;
}

ExportedData::ExportedData(const ElfFile& file) {
  SymbolTable(file, SHT_DYNSYM).visit([&](const Elf64_Sym& entry, std::string_view name) {
    if (ELF64_ST_TYPE(entry.st_info) == STT_OBJECT && entry.st_shndx != SHN_UNDEF)
      places_[name] = {entry.st_value, entry.st_shndx == SHN_ABS, ELF64_ST_BIND(entry.st_info) == STB_GNU_UNIQUE};
    return true;
  });
}

std::optional<ExportedData::Place> ExportedData::find(std::string_view mangled) const {
  const auto found = places_.find(mangled);
  return found != places_.end() ? std::optional(found->second) : std::nullopt;
}

}  // namespace moult::internal
