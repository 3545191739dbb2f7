#include "elf/imports.hpp"

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

}  // namespace moult::internal
