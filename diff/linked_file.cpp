// Names. The linker writes the local symbols of one object after an entry with the name of its source (STT_FILE): a
// unit. Two sources of one name in different folders make two units of that name. Hidden functions and variables become
// local when they are linked. GNU ld puts them after an entry without a name; they keep their visibility.
//
// Pointers. A GOT entry or a table of pointers is filled in by the dynamic linker (bindings). Without a binding, the
// value in the file counts: programs at fixed addresses, and packed relative relocations (DT_RELR), which keep it
// there.
#include "diff/linked_file.hpp"

#include <gelf.h>

#include <algorithm>
#include <cstring>

#include "diff/exception_table.hpp"
#include "elf/symbol_table.hpp"
#include "moult/error.hpp"

namespace moult::internal::diff {
namespace {

template <class Number>
Number number_in(std::span<const std::uint8_t> bytes) {
  Number number{};
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

bool is_hidden(const GElf_Sym& entry) noexcept {
  const int visibility = GELF_ST_VISIBILITY(entry.st_other);
  return visibility == STV_HIDDEN || visibility == STV_INTERNAL;
}

}  // namespace

LinkedFile::LinkedFile(const ElfFile& file) : path_(file.path()), units_{""} {
  GElf_Ehdr header{};
  if (gelf_getehdr(file.handle(), &header) == nullptr || (header.e_type != ET_EXEC && header.e_type != ET_DYN))
    throw_unreadable(path_, "is no linked program or library; name the file that was linked");
  is_executable_ = header.e_type == ET_EXEC;
  read_segments(file);
  read_symbols(file);
  read_bindings(file);
  read_sections(file);
}

void LinkedFile::read_segments(const ElfFile& file) {
  const std::string_view whole = file.bytes();
  std::size_t count = 0;
  elf_getphdrnum(file.handle(), &count);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header{};
    if (gelf_getphdr(file.handle(), static_cast<int>(i), &header) == nullptr) continue;
    if (header.p_type == PT_INTERP) is_executable_ = true;
    if (header.p_type == PT_TLS) {
      const std::uint64_t alignment = std::max<std::uint64_t>(header.p_align, 1);
      tls_begin_ = header.p_vaddr;
      tls_file_size_ = header.p_filesz;
      tls_size_ = (header.p_memsz + alignment - 1) / alignment * alignment;
    }
    if (header.p_type != PT_LOAD) continue;
    if (header.p_offset > whole.size() || header.p_filesz > whole.size() - header.p_offset)
      throw_unreadable(path_, "a segment lies beyond the end of the file; link it again");
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(whole.data()) + header.p_offset;
    segments_.push_back({header.p_vaddr, {begin, header.p_filesz}});
  }
}

void LinkedFile::read_symbols(const ElfFile& file) {
  const SymbolTable table(file, SHT_SYMTAB);
  if (table.size() == 0)
    throw Error(ErrorCode::unsupported,
                path_ + ": has no symbol table, so that its functions cannot be found; compare the file before strip");
  table.visit([&](const Elf64_Sym& entry, std::string_view name) {
    if (ELF64_ST_TYPE(entry.st_info) == STT_FILE) units_.push_back(name);
    const SymbolKind kind = kind_of(entry);
    name = name.substr(0, name.find('@'));
    const bool is_here = entry.st_shndx != SHN_UNDEF && entry.st_shndx != SHN_ABS && kind != SymbolKind::section;
    if (!is_here || name.empty()) return true;
    Binding binding = binding_of(entry);
    const bool was_hidden = binding == Binding::local && (is_hidden(entry) || units_.back().empty());
    if (was_hidden) binding = Binding::global;
    const std::size_t unit = binding == Binding::local ? units_.size() - 1 : 0;
    by_name_[name].push_back(symbols_.size());
    by_address_.push_back(symbols_.size());
    symbols_.push_back({name, kind, binding, entry.st_value, entry.st_size, unit, is_indirect(entry)});
    return true;
  });
  std::ranges::stable_sort(by_address_, {}, [&](std::size_t each) { return symbols_[each].address; });
}

void LinkedFile::read_bindings(const ElfFile& file) {
  for (Elf_Scn* each = nullptr; (each = elf_nextscn(file.handle(), each)) != nullptr;) {
    GElf_Shdr header{};
    const bool is_table = gelf_getshdr(each, &header) != nullptr && header.sh_type == SHT_RELA;
    if (is_table && (header.sh_flags & SHF_ALLOC) != 0) read_bindings(file, each);
  }
}

void LinkedFile::read_bindings(const ElfFile& file, Elf_Scn* section) {
  GElf_Shdr header{};
  gelf_getshdr(section, &header);
  Elf_Data* const entries = file.data(section);
  Elf_Scn* const names = elf_getscn(file.handle(), header.sh_link);
  GElf_Shdr names_header{};
  if (entries == nullptr || header.sh_entsize == 0) return;
  // A static program's table has no names: its bindings are those of indirect functions.
  Elf_Data* const symbols = header.sh_link != 0 ? file.data(names) : nullptr;
  if (symbols != nullptr && gelf_getshdr(names, &names_header) == nullptr) return;
  const std::size_t count = entries->d_size / header.sh_entsize;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Rela entry{};
    if (gelf_getrela(entries, static_cast<int>(i), &entry) == nullptr) return;
    Binding64 binding;
    binding.type = static_cast<std::uint32_t>(GELF_R_TYPE(entry.r_info));
    binding.addend = entry.r_addend;
    GElf_Sym symbol{};
    const std::size_t index = GELF_R_SYM(entry.r_info);
    if (index != 0 && symbols != nullptr && gelf_getsym(symbols, static_cast<int>(index), &symbol) != nullptr) {
      const char* const name = elf_strptr(file.handle(), names_header.sh_link, symbol.st_name);
      binding.name = name != nullptr ? name : "";
      binding.is_defined = symbol.st_shndx != SHN_UNDEF;
      binding.value = symbol.st_value;
    }
    const auto value = static_cast<std::uint64_t>(binding.addend);
    if (binding.type == R_X86_64_RELATIVE) pointed_to_.insert(value);
    if (binding.is_defined) pointed_to_.insert(binding.value + value);
    bindings_.emplace(entry.r_offset, binding);
  }
}

void LinkedFile::read_sections(const ElfFile& file) {
  std::size_t names = 0;
  elf_getshdrstrndx(file.handle(), &names);
  for (Elf_Scn* each = nullptr; (each = elf_nextscn(file.handle(), each)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(each, &header) == nullptr) continue;
    const char* const name = elf_strptr(file.handle(), names, header.sh_name);
    if (name == nullptr) continue;
    const bool is_code = (header.sh_flags & SHF_EXECINSTR) != 0;
    if (std::string_view(name) == ".eh_frame")
      if (const auto frames = bytes(header.sh_addr, header.sh_size))
        exception_tables_ = exception_tables_in(*frames, header.sh_addr);
    const CodeRange range{CodeAddress{header.sh_addr}, CodeAddress{header.sh_addr + header.sh_size}};
    const bool is_relocated_once = std::string_view(name).starts_with(".data.rel.ro");
    if (is_code) code_.push_back(range);
    if ((header.sh_flags & SHF_WRITE) != 0 && (header.sh_flags & SHF_TLS) == 0 && !is_relocated_once)
      writable_.push_back(range);
    if (is_code && std::string_view(name).find("plt") != std::string_view::npos)
      stubs_.push_back({CodeAddress{header.sh_addr}, CodeAddress{header.sh_addr + header.sh_size}});
  }
  std::ranges::sort(stubs_);
}

std::vector<std::size_t> LinkedFile::units_of(std::string_view source) const {
  std::vector<std::size_t> units;
  for (std::size_t i = 1; i < units_.size(); ++i)
    if (!source.empty() && units_[i] == source) units.push_back(i);
  return units;
}

std::span<const std::size_t> LinkedFile::named(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::span<const std::size_t>() : std::span<const std::size_t>(found->second);
}

std::span<const std::size_t> LinkedFile::at(std::uint64_t address) const {
  const auto address_of = [&](std::size_t each) { return symbols_[each].address; };
  const auto begin = std::ranges::lower_bound(by_address_, address, {}, address_of);
  const auto end = std::ranges::upper_bound(by_address_, address, {}, address_of);
  return {begin, end};
}

const LinkedSymbol* LinkedFile::function_before(std::uint64_t address) const {
  const auto address_of = [&](std::size_t each) { return symbols_[each].address; };
  for (auto at = std::ranges::lower_bound(by_address_, address, {}, address_of); at != by_address_.begin();) {
    const LinkedSymbol& symbol = symbols_[*--at];
    if (symbol.kind == SymbolKind::function) return &symbol;
  }
  return nullptr;
}

std::optional<std::span<const std::uint8_t>> LinkedFile::bytes(std::uint64_t address, std::uint64_t size) const {
  for (const Segment& segment : segments_) {
    const std::uint64_t offset = address - segment.begin;
    if (address < segment.begin || offset > segment.bytes.size() || size > segment.bytes.size() - offset) continue;
    return segment.bytes.subspan(offset, size);
  }
  return std::nullopt;
}

std::span<const std::uint8_t> LinkedFile::bytes_from(std::uint64_t address) const {
  for (const Segment& segment : segments_) {
    const std::uint64_t offset = address - segment.begin;
    if (address >= segment.begin && offset < segment.bytes.size()) return segment.bytes.subspan(offset);
  }
  return {};
}

std::optional<LinkedFile::InitialValue> LinkedFile::initial_value_of(const LinkedSymbol& variable) const {
  std::uint64_t address = variable.address;
  if (variable.kind == SymbolKind::thread_local_data) {
    const bool is_in_file = variable.address <= tls_file_size_ && variable.size <= tls_file_size_ - variable.address;
    if (!is_in_file) return std::nullopt;
    address += tls_begin_;
  }
  const auto content = bytes(address, variable.size);
  return content ? std::optional(InitialValue{address, *content}) : std::nullopt;
}

bool LinkedFile::is_writable(std::uint64_t address) const noexcept {
  return std::ranges::any_of(writable_, [&](const CodeRange& each) { return each.contains(CodeAddress{address}); });
}

std::optional<std::uint64_t> LinkedFile::exception_table_of(std::uint64_t code) const {
  const auto found = exception_tables_.find(code);
  return found == exception_tables_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Destination> LinkedFile::pointer_at(std::uint64_t address) const {
  using Kind = Destination::Kind;
  const auto found = bindings_.find(address);
  if (found == bindings_.end()) {
    if (address % sizeof(std::uint64_t) != 0) return std::nullopt;
    const auto content = bytes(address, sizeof(std::uint64_t));
    if (!content) return std::nullopt;
    return Destination{Kind::address, number_in<std::uint64_t>(*content)};
  }
  const Binding64& binding = found->second;
  const std::uint64_t addend = static_cast<std::uint64_t>(binding.addend);
  switch (binding.type) {
    case R_X86_64_RELATIVE:
    case R_X86_64_IRELATIVE: return Destination{Kind::address, addend};
    case R_X86_64_64:
    case R_X86_64_GLOB_DAT:
    case R_X86_64_JUMP_SLOT:
      if (binding.is_defined) return Destination{Kind::address, binding.value + addend};
      return Destination{Kind::import, addend, binding.name};
    case R_X86_64_TPOFF64:
      if (!binding.name.empty() && !binding.is_defined)
        return Destination{Kind::thread_local_import, addend, binding.name};
      return Destination{Kind::thread_local_offset, binding.value + addend};
    default: return std::nullopt;
  }
}

/// A stub is `jmp *slot(%rip)`, behind `endbr64` or a `bnd` prefix in some linkers' stubs.
std::optional<Destination> LinkedFile::target_of_stub(std::uint64_t address) const {
  if (range_at(stubs_, address) == nullptr) return std::nullopt;
  constexpr std::uint64_t longest = 11;
  constexpr std::uint64_t jump_size = 6;
  constexpr std::uint8_t endbr64[] = {0xF3, 0x0F, 0x1E, 0xFA};
  const auto code = bytes(address, longest);
  if (!code) return std::nullopt;
  std::uint64_t at = std::ranges::equal(code->first(sizeof endbr64), endbr64) ? sizeof endbr64 : 0;
  if ((*code)[at] == 0xF2) ++at;
  if ((*code)[at] != 0xFF || (*code)[at + 1] != 0x25) return std::nullopt;
  const std::int64_t distance = number_in<std::int32_t>(code->subspan(at + 2, sizeof(std::int32_t)));
  return pointer_at(address + at + jump_size + static_cast<std::uint64_t>(distance));
}

}  // namespace moult::internal::diff
