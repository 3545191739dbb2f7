#include "symbols/guard_variables.hpp"

#include <fcntl.h>
#include <gelf.h>

#include <cstring>

#include "base/fd.hpp"
#include "base/names.hpp"
#include "elf/elf_file.hpp"
#include "elf/reader_memory.hpp"

namespace moult::internal {
namespace {

constexpr char guard_prefix[] = "_ZGV";

void collect(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, std::vector<GuardVariable>& guards) {
  Elf_Data* data = ::elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return;
  // The dynamic symbols of an update that moult has placed are where they are loaded.
  const std::uint64_t placed = header.sh_type == SHT_SYMTAB ? placement_of(elf) : 0;
  int count = static_cast<int>(header.sh_size / header.sh_entsize);
  for (int index = 0; index < count; ++index) {
    GElf_Sym symbol;
    if (::gelf_getsym(data, index, &symbol) == nullptr) return;
    if (GELF_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_shndx == SHN_UNDEF) continue;
    if (symbol.st_shndx == SHN_ABS) continue;  // moult has bound an update's name to the program's
    const char* name = ::elf_strptr(elf, header.sh_link, symbol.st_name);
    if (name != nullptr && std::strncmp(name, guard_prefix, sizeof guard_prefix - 1) == 0)
      guards.push_back({symbol.st_value + placed, demangle(name)});
  }
}

}  // namespace

std::vector<GuardVariable> guard_variables(const std::string& path) {
  std::vector<GuardVariable> guards;
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  make_readers_throw();
  ::elf_version(EV_CURRENT);
  const ElfHandle elf(file ? ::elf_begin(file.get(), ELF_C_READ_MMAP, nullptr) : nullptr);
  if (elf == nullptr) return guards;
  // The full table contains the exported symbols too, so one table is enough.
  for (GElf_Word wanted : {GElf_Word{SHT_SYMTAB}, GElf_Word{SHT_DYNSYM}}) {
    for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf.get(), section)) != nullptr;) {
      GElf_Shdr header;
      if (::gelf_getshdr(section, &header) == nullptr || header.sh_type != wanted) continue;
      collect(elf.get(), section, header, guards);
      return guards;
    }
  }
  return guards;
}

}  // namespace moult::internal
