// Problem: the dynamic linker believes the file that it loads. A header that leads out of the file, a table without an
// end or a relocation outside of the module ends the program or changes its memory. libelf, libdw and the code of moult
// that reads symbols check much, but each only what it needs.
//
// Approach: before any of them sees the file, every offset is compared with the file, every address with the segments
// that will be loaded, every index with its table. Nothing is mapped. A file with a checksum (elf/update_checksum.hpp)
// was intact when it was linked, so that these checks only keep the way to the checksum safe.
//
// Limits: without a checksum, damage inside of code, data and debug information is not seen. Only the heads of hash
// tables are checked.
#include "elf/update_structure.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "elf/elf_file.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

constexpr std::string_view entry_name = "moult_update_entry";
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t end_of_addresses = std::uint64_t{1} << 47;

void require(bool holds, const FileBytes& file, const std::string& what) {
  if (!holds) throw_damaged(file.path(), what);
}

void require_shared_object(const std::string& path, const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64) {
    throw_not_an_update(path, "it was built for another machine than 64-bit x86-64");
  }
  if (header.e_type == ET_REL) throw_not_an_update(path, "it is an object file that was not linked");
  if (header.e_type != ET_DYN) throw_not_an_update(path, "it is an executable or a core file, not a shared object");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shentsize != sizeof(Elf64_Shdr)) {
    throw_not_an_update(path, "its headers have an unknown size");
  }
  // The number would be in the first section, where the dynamic linker does not look for it.
  if (header.e_phnum == PN_XNUM) throw_not_an_update(path, "it has more program headers than can be loaded");
}

/// Files of 65280 sections and more keep their number in the first one.
std::vector<Elf64_Shdr> read_sections(const FileBytes& file, const Elf64_Ehdr& header) {
  std::uint64_t count = header.e_shnum;
  if (count == 0 && header.e_shoff != 0) count = file.read<Elf64_Shdr>(header.e_shoff, "a section header").sh_size;
  count = std::min(count, file.size());  // more than fit in any case, and the product does not overflow
  return file.table<Elf64_Shdr>(header.e_shoff, count * sizeof(Elf64_Shdr), "a section header");
}

/// The memory that the segments will take, by addresses in the file.
class LoadedMemory final {
 public:
  LoadedMemory(const FileBytes& file, const std::vector<Elf64_Phdr>& segments) : file_(file) {
    for (const Elf64_Phdr& segment : segments)
      if (segment.p_type == PT_LOAD) add(segment);
  }

  /// True if the range lies in one segment, whose last page belongs to it as a whole.
  bool holds(std::uint64_t address, std::uint64_t size) const {
    return std::ranges::any_of(loaded_, [&](const Elf64_Phdr& each) {
      const std::uint64_t end = (each.p_vaddr + each.p_memsz + page - 1) & ~(page - 1);
      return address >= each.p_vaddr && address <= end && size <= end - address;
    });
  }

  /// The place in the file of a range in memory; nothing unless all of it comes from the file.
  std::optional<std::uint64_t> offset_of(std::uint64_t address, std::uint64_t size) const {
    for (const Elf64_Phdr& each : loaded_) {
      if (address < each.p_vaddr || address - each.p_vaddr > each.p_filesz) continue;
      const std::uint64_t inside = address - each.p_vaddr;
      if (size <= each.p_filesz - inside) return each.p_offset + inside;
    }
    return std::nullopt;
  }

  bool is_writable(std::uint64_t address, std::uint64_t size) const {
    return std::ranges::any_of(loaded_, [&](const Elf64_Phdr& each) {
      return (each.p_flags & PF_W) != 0 && address >= each.p_vaddr && address - each.p_vaddr <= each.p_memsz &&
             size <= each.p_memsz - (address - each.p_vaddr);
    });
  }

 private:
  void add(const Elf64_Phdr& segment) {
    const bool is_power = segment.p_align >= page && (segment.p_align & (segment.p_align - 1)) == 0;
    require(is_power && segment.p_vaddr % page == segment.p_offset % page, file_,
            "a loaded segment is not aligned to pages");
    require(segment.p_filesz <= segment.p_memsz && segment.p_memsz <= end_of_addresses &&
                segment.p_vaddr <= end_of_addresses - segment.p_memsz,
            file_, "a loaded segment has an impossible size");
    require(loaded_.empty() || segment.p_vaddr >= loaded_.back().p_vaddr + loaded_.back().p_memsz, file_,
            "its loaded segments overlap or are out of order");
    loaded_.push_back(segment);
  }

  const FileBytes& file_;
  std::vector<Elf64_Phdr> loaded_;
};

/// The dynamic linker and the language runtime read these in memory, moult reads them in the file.
void require_segments(const FileBytes& file, const std::vector<Elf64_Phdr>& segments, const LoadedMemory& memory) {
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_GNU_RELRO)
      require(memory.holds(segment.p_vaddr, segment.p_memsz), file,
              "the segment that becomes read-only is not one of the loaded ones");
    const bool is_read = segment.p_type == PT_DYNAMIC || segment.p_type == PT_NOTE || segment.p_type == PT_TLS ||
                         segment.p_type == PT_GNU_EH_FRAME || segment.p_type == PT_GNU_PROPERTY;
    if (!is_read || segment.p_memsz == 0) continue;
    require(segment.p_filesz == 0 || memory.offset_of(segment.p_vaddr, segment.p_filesz) == segment.p_offset, file,
            "a segment of notes, tables or thread variables is not part of a loaded one");
    require(segment.p_type == PT_TLS || segment.p_memsz == segment.p_filesz, file,
            "a segment of notes or tables has an impossible size");
  }
}

/// Zero where there is no such entry.
class DynamicSection final {
 public:
  DynamicSection(const FileBytes& file, const std::vector<Elf64_Phdr>& segments) {
    for (const Elf64_Phdr& segment : segments) {
      if (segment.p_type != PT_DYNAMIC) continue;
      entries_ = file.table<Elf64_Dyn>(segment.p_offset, segment.p_filesz, "its dynamic section");
      const auto end = std::ranges::find(entries_, DT_NULL, &Elf64_Dyn::d_tag);
      require(end != entries_.end(), file, "its dynamic section has no end");
      entries_.erase(end, entries_.end());
      return;
    }
    throw_not_an_update(file.path(), "it has no dynamic section");
  }

  const std::vector<Elf64_Dyn>& entries() const noexcept { return entries_; }
  std::uint64_t operator[](std::int64_t tag) const {
    const auto found = std::ranges::find(entries_, tag, &Elf64_Dyn::d_tag);
    return found != entries_.end() ? found->d_un.d_val : 0;
  }

 private:
  std::vector<Elf64_Dyn> entries_;
};

/// The number of symbols; by the section, since the dynamic section does not say it.
std::uint64_t count_dynamic_symbols(const std::vector<Elf64_Shdr>& sections) {
  const auto found = std::ranges::find(sections, std::uint32_t{SHT_DYNSYM}, &Elf64_Shdr::sh_type);
  return found != sections.end() ? found->sh_size / sizeof(Elf64_Sym) : 0;
}

struct Table {
  std::int64_t place;
  std::int64_t size;
};

/// A relocation writes into memory, and may name a symbol.
void require_relocations(const FileBytes& file, const DynamicSection& dynamic, const LoadedMemory& memory,
                         std::uint64_t symbols) {
  const bool may_write_code = dynamic[DT_TEXTREL] != 0 || (dynamic[DT_FLAGS] & DF_TEXTREL) != 0;
  for (const Table& table : {Table{DT_RELA, DT_RELASZ}, Table{DT_JMPREL, DT_PLTRELSZ}}) {
    const std::uint64_t size = dynamic[table.size];
    if (size == 0) continue;
    const std::optional<std::uint64_t> offset = memory.offset_of(dynamic[table.place], size);
    require(offset && size % sizeof(Elf64_Rela) == 0, file, "its relocations are not part of a loaded segment");
    for (const Elf64_Rela& each : file.table<Elf64_Rela>(*offset, size, "its relocations")) {
      require(ELF64_R_SYM(each.r_info) < std::max<std::uint64_t>(symbols, 1), file,
              "a relocation names a symbol that it does not have");
      const std::uint32_t type = ELF64_R_TYPE(each.r_info);
      const std::uint64_t width = type == R_X86_64_TLSDESC ? 16 : type == R_X86_64_32 || type == R_X86_64_PC32 ? 4 : 8;
      const bool is_inside =
          may_write_code ? memory.holds(each.r_offset, width) : memory.is_writable(each.r_offset, width);
      require(type == R_X86_64_NONE || is_inside, file, "a relocation would write outside of it");
    }
  }
}

/// A table without buckets, or with more of them than it has bytes, ends the program at the first look-up.
void require_hash_tables(const FileBytes& file, const DynamicSection& dynamic, const LoadedMemory& memory) {
  if (const std::uint64_t place = dynamic[DT_GNU_HASH]; place != 0) {
    const std::optional<std::uint64_t> offset = memory.offset_of(place, 16);
    require(offset.has_value(), file, "its hash table is not part of a loaded segment");
    const auto head = file.read<std::array<std::uint32_t, 4>>(*offset, "its hash table");
    const std::uint64_t buckets = head[0];
    const std::uint64_t words = head[2];
    require(buckets > 0 && words > 0 && (words & (words - 1)) == 0 && head[3] < 64 &&
                memory.offset_of(place, 16 + 8 * words + 4 * buckets),
            file, "its hash table has an impossible size");
  }
  if (const std::uint64_t place = dynamic[DT_HASH]; place != 0) {
    const std::optional<std::uint64_t> offset = memory.offset_of(place, 8);
    require(offset.has_value(), file, "its hash table is not part of a loaded segment");
    const auto head = file.read<std::array<std::uint32_t, 2>>(*offset, "its hash table");
    require(head[0] > 0 && memory.offset_of(place, 8 + 4 * (std::uint64_t{head[0]} + head[1])), file,
            "its hash table has an impossible size");
  }
}

void require_dynamic(const FileBytes& file, const DynamicSection& dynamic, const LoadedMemory& memory,
                     std::uint64_t symbols) {
  if ((dynamic[DT_FLAGS_1] & DF_1_PIE) != 0)  // a position-independent program is a shared object but for this flag
    throw_not_an_update(file.path(), "it is an executable, not a shared object");
  const std::uint64_t names = dynamic[DT_STRTAB];
  const std::uint64_t names_size = dynamic[DT_STRSZ];
  const std::optional<std::uint64_t> names_at = memory.offset_of(names, names_size);
  require(names_at && names_size > 0, file, "its table of names is not part of a loaded segment");
  require(file.read(*names_at + names_size - 1, 1, "its table of names") == std::string_view("\0", 1), file,
          "its table of names has no end");
  for (const Elf64_Dyn& each : dynamic.entries())
    if (each.d_tag == DT_NEEDED || each.d_tag == DT_SONAME || each.d_tag == DT_RUNPATH || each.d_tag == DT_RPATH)
      require(each.d_un.d_val < names_size, file, "its dynamic section names what is not in its table of names");
  require(memory.offset_of(dynamic[DT_SYMTAB], symbols * sizeof(Elf64_Sym)).has_value(), file,
          "its symbols are not part of a loaded segment");
  for (const Table& table : {Table{DT_INIT_ARRAY, DT_INIT_ARRAYSZ}, Table{DT_FINI_ARRAY, DT_FINI_ARRAYSZ},
                             Table{DT_RELR, DT_RELRSZ}, Table{DT_INIT, 0}, Table{DT_FINI, 0}, Table{DT_PLTGOT, 0},
                             Table{DT_VERSYM, 0}, Table{DT_VERNEED, 0}, Table{DT_VERDEF, 0}}) {
    const std::uint64_t size = table.size != 0 ? dynamic[table.size] : 1;
    require(dynamic[table.place] == 0 || memory.holds(dynamic[table.place], size), file,
            "its dynamic section leads out of it");
  }
  require_hash_tables(file, dynamic, memory);
  require_relocations(file, dynamic, memory, symbols);
}

/// Each name with its end.
std::string names_in(const FileBytes& file, const Elf64_Shdr& section) {
  require(section.sh_type == SHT_STRTAB, file, "a table of names is something else");
  std::string names = file.read(section.sh_offset, section.sh_size, "a table of names");
  require(names.empty() || names.back() == '\0', file, "a table of names has no end");
  return names;
}

std::string_view name_at(const FileBytes& file, const std::string& names, std::uint64_t place) {
  require(place < names.size() || place == 0, file, "a name is not in its table");
  return place < names.size() ? std::string_view(names.c_str() + place) : std::string_view();
}

/// True if the table of the program's own symbols has the entry.
bool require_symbols(const FileBytes& file, const Elf64_Shdr& table, const std::vector<Elf64_Shdr>& sections,
                     const LoadedMemory& memory) {
  require(table.sh_entsize == sizeof(Elf64_Sym) && table.sh_link < sections.size(), file,
          "a table of symbols has an impossible form");
  const std::string names = names_in(file, sections[table.sh_link]);
  bool has_entry = false;
  for (const Elf64_Sym& symbol : file.table<Elf64_Sym>(table.sh_offset, table.sh_size, "its symbol table")) {
    const std::string_view name = name_at(file, names, symbol.st_name);
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE) continue;
    require(symbol.st_shndx < sections.size(), file, "a symbol is in a section that it does not have");
    const int type = ELF64_ST_TYPE(symbol.st_info);
    const bool is_loaded = (sections[symbol.st_shndx].sh_flags & SHF_ALLOC) != 0;
    if (is_loaded && (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_OBJECT))
      require(memory.holds(symbol.st_value, symbol.st_size), file, "a symbol lies outside of it");
    has_entry = has_entry || (type == STT_FUNC && name == entry_name);
  }
  return has_entry && table.sh_type == SHT_DYNSYM;
}

void require_sections(const FileBytes& file, UpdateStructure& structure, const LoadedMemory& memory) {
  const std::vector<Elf64_Shdr>& sections = structure.sections;
  std::uint64_t names_index = structure.header.e_shstrndx;
  if (names_index == SHN_XINDEX && !sections.empty()) names_index = sections.front().sh_link;
  require(names_index < sections.size(), file, "its sections have no table of names");
  const std::string names = names_in(file, sections[names_index]);
  for (const Elf64_Shdr& section : sections) {
    structure.section_names.emplace_back(name_at(file, names, section.sh_name));
    if (section.sh_type == SHT_NULL) continue;
    const bool is_thread_zeros = section.sh_type == SHT_NOBITS && (section.sh_flags & SHF_TLS) != 0;
    if ((section.sh_flags & SHF_ALLOC) != 0 && !is_thread_zeros)
      require(memory.holds(section.sh_addr, section.sh_size), file,
              "the section " + structure.section_names.back() + " lies outside of the loaded segments");
    if (section.sh_type == SHT_SYMTAB || section.sh_type == SHT_DYNSYM)
      structure.has_entry = require_symbols(file, section, sections, memory) || structure.has_entry;
  }
}

}  // namespace

void throw_not_an_update(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::not_an_update, path + ": is not an update: " + why +
                                            "; link it as a shared object from a file with MOULT_UPDATE { ... }");
}

void throw_damaged(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::not_an_update, path + ": is damaged: " + what + "; build it again");
}

Elf64_Ehdr require_update_header(const FileBytes& file) {
  if (file.size() > largest_update)
    throw Error(ErrorCode::unsupported, file.path() + ": has " + std::to_string(file.size()) +
                                            " bytes, and an update has at most " + std::to_string(largest_update) +
                                            " (1 GiB); strip its debug information, or make several updates of it");
  constexpr std::string_view magic(ELFMAG, SELFMAG);
  if (file.read(0, std::min<std::uint64_t>(magic.size(), file.size()), "its header") != magic)
    throw_not_an_update(file.path(), "it is no ELF file");
  const auto header = file.read<Elf64_Ehdr>(0, "its header");
  require_shared_object(file.path(), header);
  return header;
}

UpdateStructure require_update_structure(const FileBytes& file) {
  UpdateStructure structure;
  structure.header = require_update_header(file);
  const Elf64_Ehdr& header = structure.header;
  structure.segments =
      file.table<Elf64_Phdr>(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), "a program header");
  structure.sections = read_sections(file, header);
  // A file cut short is called that, whatever else its missing parts contradict.
  for (const Elf64_Phdr& segment : structure.segments) file.require(segment.p_offset, segment.p_filesz, "a segment");
  for (const Elf64_Shdr& section : structure.sections)
    if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL)
      file.require(section.sh_offset, section.sh_size, "a section");
  const LoadedMemory memory(file, structure.segments);
  require_segments(file, structure.segments, memory);
  require_dynamic(file, DynamicSection(file, structure.segments), memory, count_dynamic_symbols(structure.sections));
  require_sections(file, structure, memory);
  return structure;
}

}  // namespace moult::internal
