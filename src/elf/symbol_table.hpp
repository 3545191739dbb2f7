// The entries of an ELF file's symbol table, with their names. A program may have a hundred thousand, and libelf takes
// two locks for each.
#pragma once

#include <elf.h>
#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "elf/elf_file.hpp"

namespace moult::internal {

/// Views into the file, which must outlive it.
class SymbolTable final {
 public:
  /// The table of all symbols if the file has it, or else the dynamic linker's. Empty without both.
  explicit SymbolTable(const ElfFile& file);
  /// The table of that type, SHT_SYMTAB or SHT_DYNSYM. Empty if the file has none.
  SymbolTable(const ElfFile& file, std::uint32_t type);

  std::size_t size() const noexcept { return entries_.size() / sizeof(Elf64_Sym); }

  /// Calls `visit(entry, name)` for the entries whose names are in the file. Stops when a visit returns false, and
  /// returns false then.
  template <class Visit>
  bool visit(Visit&& visit) const {
    for (std::size_t i = 1; i < size(); ++i) {
      Elf64_Sym entry;  // NOLINT(cppcoreguidelines-pro-type-member-init): the next line fills it
      std::memcpy(&entry, entries_.data() + i * sizeof entry, sizeof entry);  // which need not be aligned
      const std::size_t end = names_.find('\0', entry.st_name);
      if (end != std::string_view::npos && !visit(entry, names_.substr(entry.st_name, end - entry.st_name)))
        return false;
    }
    return true;
  }

  /// Releases the memory that shows the table and its names.
  void release() const noexcept;

 private:
  SymbolTable(const ElfFile& file, Elf_Scn* section);

  std::string_view entries_;
  std::string_view names_;
};

}  // namespace moult::internal
