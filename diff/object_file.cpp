// Reads with libelf, which checks each table against the file. What one part says about another (a relocation's symbol,
// a symbol's section) is checked here, so that the comparison can follow it without a second look.
#include "diff/object_file.hpp"

#include <gelf.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "code/decoder.hpp"
#include "moult/error.hpp"

namespace moult::internal::diff {
namespace {

std::span<const std::uint8_t> span_of(const Elf_Data* data) {
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data->d_buf), data->d_size};
}

/// A symbol's section: 0 for what other files define. An object with more than 65,280 sections has a table beside its
/// symbols.
std::size_t section_of(const GElf_Sym& entry, Elf32_Word extended) {
  if (entry.st_shndx == SHN_XINDEX) return extended;
  return entry.st_shndx >= SHN_LORESERVE ? 0 : entry.st_shndx;
}

/// Nearly every instruction ends with its field.
std::int64_t usual_bias_of(std::uint32_t relocation_type) noexcept {
  switch (relocation_type) {
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
    case R_X86_64_GOTTPOFF: return 4;
    default: return 0;
  }
}

}  // namespace

bool ObjectSection::is_loaded() const noexcept { return (flags & SHF_ALLOC) != 0; }
bool ObjectSection::is_code() const noexcept { return (flags & SHF_EXECINSTR) != 0; }
bool ObjectSection::is_merged() const noexcept { return (flags & SHF_MERGE) != 0 && entry_size > 0 && !bytes.empty(); }
bool ObjectSection::has_strings() const noexcept { return (flags & SHF_STRINGS) != 0; }
bool ObjectSection::is_constant() const noexcept {
  return is_loaded() && ((flags & SHF_WRITE) == 0 || name.starts_with(".data.rel.ro"));
}

ObjectFile::ObjectFile(const ElfFile& file) : path_(file.path()) {
  GElf_Ehdr header{};
  if (gelf_getehdr(file.handle(), &header) == nullptr || header.e_type != ET_REL)
    fail("is no object (.o); moult compares what the compiler makes of one source");
  read_sections(file);
  read_symbols(file);
  read_relocations(file);
  find_biases();
  note_boundaries();
}

void ObjectFile::fail(const std::string& why) const { throw_unreadable(path_, why); }

void ObjectFile::read_sections(const ElfFile& file) {
  std::size_t names = 0;
  std::size_t count = 0;
  if (elf_getshdrstrndx(file.handle(), &names) != 0 || elf_getshdrnum(file.handle(), &count) != 0 || count == 0)
    fail("its section headers cannot be read");
  sections_.resize(count);
  for (std::size_t i = 1; i < count; ++i) {
    Elf_Scn* const each = elf_getscn(file.handle(), i);
    GElf_Shdr header{};
    if (gelf_getshdr(each, &header) == nullptr) fail("its section headers are cut short");
    const char* const name = elf_strptr(file.handle(), names, header.sh_name);
    if (name == nullptr) fail("a section's name is cut short");
    ObjectSection& section = sections_[i];
    section.name = name;
    section.size = header.sh_size;
    section.flags = header.sh_flags;
    section.alignment = header.sh_addralign;
    section.entry_size = header.sh_entsize;
    if (!section.is_loaded() || header.sh_type == SHT_NOBITS || header.sh_size == 0) continue;
    section.bytes = span_of(file.data(each));
    if (section.bytes.size() != section.size) fail("the section " + std::string(name) + " is cut short");
  }
}

void ObjectFile::read_symbols(const ElfFile& file) {
  Elf_Scn* const table = file.section_of_type(SHT_SYMTAB);
  Elf_Data* const entries = file.data(table);
  GElf_Shdr header{};
  if (entries == nullptr || gelf_getshdr(table, &header) == nullptr || header.sh_entsize == 0)
    fail("it has no symbols");
  Elf_Data* const extended = file.data(file.section_of_type(SHT_SYMTAB_SHNDX));
  const std::size_t count = entries->d_size / header.sh_entsize;
  symbols_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Sym entry{};
    Elf32_Word index = 0;
    if (gelf_getsymshndx(entries, extended, static_cast<int>(i), &entry, &index) == nullptr)
      fail("its symbols are cut short");
    const char* const name = elf_strptr(file.handle(), header.sh_link, entry.st_name);
    if (name == nullptr) fail("a symbol's name is cut short");
    if (GELF_ST_TYPE(entry.st_info) == STT_FILE) source_ = name;
    ObjectSymbol& symbol = symbols_[i];
    symbol = {name,           kind_of(entry), binding_of(entry), section_of(entry, index),
              entry.st_value, entry.st_size,  is_indirect(entry)};
    if (symbol.section >= sections_.size()) fail("the symbol " + std::string(name) + " is in no section");
    if (symbol.section == 0) continue;
    ObjectSection& section = sections_[symbol.section];
    if (symbol.value > section.size || symbol.size > section.size - symbol.value)
      fail("the symbol " + std::string(name) + " lies beyond the end of its section");
    if (symbol.kind == SymbolKind::section || symbol.name.empty()) continue;
    section.symbols.push_back(i);
    const std::string_view owner = owner_of_cold_part(symbol.name);
    if (symbol.kind == SymbolKind::function && !owner.empty()) cold_parts_.emplace(owner, i);
  }
  for (ObjectSection& section : sections_)
    std::ranges::stable_sort(section.symbols, {}, [&](std::size_t each) { return symbols_[each].value; });
}

void ObjectFile::read_relocations(const ElfFile& file) {
  for (std::size_t i = 1; i < sections_.size(); ++i) {
    Elf_Scn* const each = elf_getscn(file.handle(), i);
    GElf_Shdr header{};
    if (gelf_getshdr(each, &header) == nullptr || header.sh_type != SHT_RELA) continue;
    if (header.sh_info >= sections_.size()) fail("relocations belong to no section");
    ObjectSection& section = sections_[header.sh_info];
    Elf_Data* const entries = file.data(each);
    if (!section.is_loaded() || entries == nullptr || header.sh_entsize == 0) continue;
    const std::size_t count = entries->d_size / header.sh_entsize;
    for (std::size_t at = 0; at < count; ++at) {
      GElf_Rela entry{};
      if (gelf_getrela(entries, static_cast<int>(at), &entry) == nullptr) fail("its relocations are cut short");
      const Relocation relocation{entry.r_offset, static_cast<std::uint32_t>(GELF_R_TYPE(entry.r_info)),
                                  GELF_R_SYM(entry.r_info), entry.r_addend};
      constexpr std::int64_t farthest = std::int64_t{1} << 48;  // no program is larger
      const bool is_near = -farthest < relocation.addend && relocation.addend < farthest;
      if (relocation.symbol >= symbols_.size() || relocation.offset >= section.size || !is_near)
        fail("a relocation of " + std::string(section.name) + " lies beyond the end of what it refers to");
      section.relocations.push_back(relocation);
    }
    std::ranges::stable_sort(section.relocations, {}, &Relocation::offset);
  }
}

void ObjectFile::find_biases() {
  for (ObjectSection& section : sections_) {
    if (!section.is_code()) continue;
    for (Relocation& each : section.relocations) each.bias = usual_bias_of(each.type);
    if (std::ranges::any_of(section.relocations, [&](const Relocation& each) { return needs_exact_bias(each); }))
      find_biases(section, section.relocations);
  }
}

/// A section with several things in it: a few bytes decide which one is meant.
bool ObjectFile::needs_exact_bias(const Relocation& relocation) const {
  const ObjectSymbol& target = symbols_[relocation.symbol];
  const ObjectSection& section = sections_[target.section];
  if (relocation.type != R_X86_64_PC32 || target.kind != SymbolKind::section || section.is_code()) return false;
  return section.symbols.size() != 1 || symbols_[section.symbols.front()].size != section.size;
}

/// An instruction may have a number behind its field: `cmpl $5, place(%rip)`. Instructions can only be found from the
/// beginning of a function on.
void ObjectFile::find_biases(const ObjectSection& in, std::span<Relocation> relocations) const {
  std::uint64_t at = 0;
  for (Relocation& each : relocations) {
    const auto index = std::ranges::upper_bound(in.symbols, each.offset, {},
                                                [&](std::size_t symbol) { return symbols_[symbol].value; });
    if (index != in.symbols.begin()) at = std::max(at, symbols_[*std::prev(index)].value);
    while (at <= each.offset) {
      const std::optional<Instruction> instruction = decode(in.bytes.subspan(at), CodeAddress{at});
      if (!instruction) return;
      at += instruction->length;
    }
    if (each.bias != 0) each.bias = static_cast<std::int64_t>(at - each.offset);
  }
}

void ObjectFile::note_boundaries() {
  for (const ObjectSymbol& symbol : symbols_) {
    if (symbol.section == 0 || symbol.kind == SymbolKind::section) continue;
    sections_[symbol.section].boundaries.insert({symbol.value, symbol.value + symbol.size});
  }
  for (const ObjectSection& section : sections_) {
    if (section.name == ".eh_frame") continue;  // leads into the middle of functions
    for (const Relocation& relocation : section.relocations) {
      const ObjectSymbol& symbol = symbols_[relocation.symbol];
      ObjectSection& target = sections_[symbol.section];
      if (symbol.section == 0 || target.is_code()) continue;
      const std::int64_t place = static_cast<std::int64_t>(symbol.value) + relocation.addend + relocation.bias;
      target.boundaries.insert(std::clamp<std::int64_t>(place, 0, static_cast<std::int64_t>(target.size)));
    }
  }
}

std::vector<ObjectFunction> ObjectFile::functions() const {
  std::vector<ObjectFunction> functions;
  for (std::size_t i = 1; i < sections_.size(); ++i) {
    for (const std::size_t index : sections_[i].symbols) {
      const ObjectSymbol& symbol = symbols_[index];
      if (symbol.kind != SymbolKind::function || !owner_of_cold_part(symbol.name).empty()) continue;
      const Piece piece{i, symbol.value, symbol.value + symbol.size};
      if (functions.empty() || functions.back().piece != piece) functions.push_back({piece, {}});
      functions.back().symbols.push_back(index);
    }
  }
  for (ObjectFunction& function : functions)
    std::ranges::sort(function.symbols, {}, [&](std::size_t index) {
      const ObjectSymbol& symbol = symbols_[index];
      return std::tuple(symbol.binding == Binding::local, symbol.name.size(), symbol.name);
    });
  return functions;
}

std::vector<std::size_t> ObjectFile::variables() const {
  std::vector<std::size_t> variables;
  for (const ObjectSection& section : sections_) {
    if (!section.is_loaded() || section.is_code()) continue;
    std::ranges::copy_if(section.symbols, std::back_inserter(variables), [&](std::size_t index) {
      const ObjectSymbol& symbol = symbols_[index];
      const bool is_data = symbol.kind == SymbolKind::data || symbol.kind == SymbolKind::thread_local_data;
      return is_data && symbol.size > 0 && !symbol.name.starts_with(".L") && without_number(symbol.name) == symbol.name;
    });
  }
  return variables;
}

std::optional<std::size_t> ObjectFile::variable_of(const Relocation& relocation) const {
  const ObjectSymbol& symbol = symbols_[relocation.symbol];
  if (symbol.section == 0) return std::nullopt;
  if (symbol.kind == SymbolKind::data || symbol.kind == SymbolKind::thread_local_data) return relocation.symbol;
  const std::int64_t place = static_cast<std::int64_t>(symbol.value) + relocation.addend + relocation.bias;
  const ObjectSection& section = sections_[symbol.section];
  if (symbol.kind != SymbolKind::section || section.is_code() || place < 0) return std::nullopt;
  const ObjectSymbol* const found = symbol_at(symbol.section, static_cast<std::uint64_t>(place));
  return found == nullptr ? std::nullopt : std::optional(static_cast<std::size_t>(found - symbols_.data()));
}

const ObjectSymbol* ObjectFile::cold_part_of(std::string_view name) const {
  const auto found = cold_parts_.find(name);
  return found == cold_parts_.end() ? nullptr : &symbols_[found->second];
}

const ObjectSymbol* ObjectFile::symbol_at(std::size_t section, std::uint64_t offset) const {
  const ObjectSymbol* best = nullptr;
  for (const std::size_t index : sections_[section].symbols) {
    const ObjectSymbol& symbol = symbols_[index];
    if (symbol.value > offset) break;
    if (offset - symbol.value >= symbol.size) continue;
    if (best == nullptr || symbol.binding > best->binding) best = &symbol;
  }
  return best;
}

Piece ObjectFile::piece_at(std::size_t section, std::uint64_t offset) const {
  const ObjectSection& in = sections_[section];
  if (offset >= in.size) return {section, in.size, in.size};
  if (in.is_merged()) return merged_piece_at(section, offset);
  if (const ObjectSymbol* const symbol = symbol_at(section, offset))
    return {section, symbol->value, symbol->value + symbol->size};
  const auto after = in.boundaries.upper_bound(offset);
  const std::uint64_t begin = after == in.boundaries.begin() ? 0 : *std::prev(after);
  return {section, begin, after == in.boundaries.end() ? in.size : *after};
}

/// A string with its end, or one constant: what is beside it may be elsewhere in the program.
Piece ObjectFile::merged_piece_at(std::size_t section, std::uint64_t offset) const {
  const ObjectSection& in = sections_[section];
  const auto is_zero = [&](std::uint64_t at) {
    return std::ranges::all_of(in.bytes.subspan(at, in.entry_size), [](std::uint8_t byte) { return byte == 0; });
  };
  std::uint64_t end = offset;
  if (in.has_strings())
    while (in.size - end > in.entry_size && !is_zero(end)) end += in.entry_size;
  return {section, offset, end + std::min(in.entry_size, in.size - end)};
}

std::span<const Relocation> ObjectFile::relocations_of(const Piece& piece) const {
  const std::vector<Relocation>& all = sections_[piece.section].relocations;
  const auto begin = std::ranges::lower_bound(all, piece.begin, {}, &Relocation::offset);
  const auto end = std::ranges::lower_bound(begin, all.end(), piece.end, {}, &Relocation::offset);
  return {begin, end};
}

}  // namespace moult::internal::diff
