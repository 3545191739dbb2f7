#include "elf/dynamic_linking.hpp"

#include <elf.h>
#include <gelf.h>

namespace moult::internal {

std::vector<std::string> imports_of(const ElfFile& file) {
  std::vector<std::string> names;
  Elf_Scn* const section = file.section_of_type(SHT_DYNSYM);
  Elf_Data* const data = section != nullptr ? file.data(section) : nullptr;
  GElf_Shdr header{};
  if (data == nullptr || gelf_getshdr(section, &header) == nullptr || header.sh_entsize == 0) return names;
  const int count = static_cast<int>(header.sh_size / header.sh_entsize);
  for (int i = 1; i < count; ++i) {
    GElf_Sym symbol{};
    if (gelf_getsym(data, i, &symbol) == nullptr || symbol.st_shndx != SHN_UNDEF) continue;
    const char* const name = elf_strptr(file.handle(), header.sh_link, symbol.st_name);
    if (name != nullptr && *name != '\0') names.emplace_back(name);
  }
  return names;
}

ExportedData::ExportedData(const ElfFile& file) {
  Elf_Scn* section = file.section_of_type(SHT_DYNSYM);
  Elf_Data* table = file.data(section);
  GElf_Shdr header{};
  if (table == nullptr || gelf_getshdr(section, &header) == nullptr || header.sh_entsize == 0) return;
  const int count = static_cast<int>(table->d_size / header.sh_entsize);
  for (int i = 1; i < count; ++i) {
    GElf_Sym entry{};
    if (gelf_getsym(table, i, &entry) == nullptr) continue;
    if (GELF_ST_TYPE(entry.st_info) != STT_OBJECT || entry.st_shndx == SHN_UNDEF) continue;
    const char* name = elf_strptr(file.handle(), header.sh_link, entry.st_name);
    if (name != nullptr)
      places_[name] = {entry.st_value, entry.st_shndx == SHN_ABS, GELF_ST_BIND(entry.st_info) == STB_GNU_UNIQUE};
  }
}

std::optional<ExportedData::Place> ExportedData::find(std::string_view mangled) const {
  const auto found = places_.find(mangled);
  return found != places_.end() ? std::optional(found->second) : std::nullopt;
}

}  // namespace moult::internal
