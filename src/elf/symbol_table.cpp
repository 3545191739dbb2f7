#include "elf/symbol_table.hpp"

#include <gelf.h>

#include "elf/file_scan.hpp"

namespace moult::internal {
namespace {

std::string_view bytes_of(const Elf_Data* data) {
  return data != nullptr ? std::string_view(static_cast<const char*>(data->d_buf), data->d_size) : std::string_view();
}

Elf_Scn* fullest_table(const ElfFile& file) {
  Elf_Scn* const section = file.section_of_type(SHT_SYMTAB);
  return file.data(section) != nullptr ? section : file.section_of_type(SHT_DYNSYM);
}

}  // namespace

SymbolTable::SymbolTable(const ElfFile& file) : SymbolTable(file, fullest_table(file)) {}

SymbolTable::SymbolTable(const ElfFile& file, std::uint32_t type) : SymbolTable(file, file.section_of_type(type)) {}

SymbolTable::SymbolTable(const ElfFile& file, Elf_Scn* section) {
  GElf_Shdr header{};
  if (section == nullptr || gelf_getshdr(section, &header) == nullptr) return;
  if (header.sh_entsize != sizeof(Elf64_Sym)) return;  // damaged
  Elf_Scn* const names = elf_getscn(file.handle(), header.sh_link);
  if (names == nullptr || gelf_getshdr(names, &header) == nullptr || header.sh_type != SHT_STRTAB) return;
  entries_ = bytes_of(file.data(section));
  names_ = bytes_of(file.data(names));
}

void SymbolTable::release() const noexcept {
  internal::release(entries_);
  internal::release(names_);
}

}  // namespace moult::internal
