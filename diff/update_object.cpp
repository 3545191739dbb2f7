// The linker does the rest: it places the sections, joins the unwind information, resolves what the objects of the
// update use of each other and of libraries, and writes the symbols and debug information that gdb and perf read.
//
// The tables are sections of the object, so their entries can refer to local functions. New symbols are needed for
// them: one for each new section. Local symbols come first in the table, so the others move.
#include "diff/update_object.hpp"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "base/fd.hpp"
#include "base/names.hpp"
#include "moult/error.hpp"

namespace moult::internal::diff {
namespace {

/// A section that is added to the object.
struct NewSection {
  const char* name = nullptr;
  std::string bytes{};
  std::vector<GElf_Rela> relocations{};
  std::size_t index = 0;
  std::size_t symbol = 0;
};

template <class Entry>
void append(std::string& bytes, const Entry& entry) {
  bytes.append(reinterpret_cast<const char*>(&entry), sizeof entry);
}

class Writer final {
 public:
  Writer(const std::string& path, const ObjectFile& object, const EditPlan& plan, std::string source,
         const std::map<std::string, std::string>& types);

  void run();

 private:
  static constexpr std::size_t added = 6;  ///< sections, and a symbol for each

  [[noreturn]] void fail() const { throw Error(ErrorCode::system, path_ + ": cannot be written: " + elf_errmsg(-1)); }
  void read_sections();
  void add_symbols();
  void renumber();
  void make_tables();
  void add_field(const ObjectPlace& place, const BoundField& field);
  void add_function(const ReplacedFunction& function);
  void add_variable(std::size_t symbol);
  std::int64_t add_name(const std::string& name);
  void refer(NewSection& from, std::size_t offset, std::uint64_t symbol, std::int64_t addend,
             std::uint32_t type = R_X86_64_PC32);
  void refer_to_symbol(NewSection& from, std::size_t offset, std::size_t symbol);
  void change_relocations();
  void forget_unused();
  void make_load(std::size_t section, std::uint64_t offset) const;
  void ungroup();
  void leave_out();
  void add_sections();
  Elf_Data* add_section(const std::string& name, GElf_Shdr header, std::string& bytes);
  std::array<NewSection*, added> all_new() {
    return {&fields_, &functions_, &variables_, &sources_, &names_, &slots_section_};
  }
  std::size_t section_symbol(std::size_t section) const;
  std::size_t moved(std::size_t symbol) const { return symbol < first_global_ ? symbol : symbol + added; }

  std::string path_;
  const ObjectFile& object_;
  const EditPlan& plan_;
  std::string source_;
  const std::map<std::string, std::string>& types_;
  Fd fd_;
  std::unique_ptr<Elf, decltype(&elf_end)> elf_{nullptr, elf_end};
  Elf_Scn* symbols_ = nullptr;
  std::size_t first_global_ = 0;
  std::vector<Elf64_Sym> symbol_table_;
  std::set<std::size_t> used_;                ///< symbols that the linker is asked for
  std::map<ObjectPlace, std::size_t> slots_;  ///< where the slot of an indirect field is
  NewSection fields_{fields_section};
  NewSection functions_{functions_section};
  NewSection variables_{variables_section};
  NewSection sources_{sources_section};
  NewSection names_{"moult_names"};
  NewSection slots_section_{"moult_slots"};
  std::deque<std::string> buffers_;  ///< that libelf writes
};

Writer::Writer(const std::string& path, const ObjectFile& object, const EditPlan& plan, std::string source,
               const std::map<std::string, std::string>& types)
    : path_(path),
      object_(object),
      plan_(plan),
      source_(std::move(source)),
      types_(types),
      fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  elf_version(EV_CURRENT);
  elf_.reset(elf_begin(fd_.get(), ELF_C_RDWR, nullptr));
  if (!elf_) fail();
}

void Writer::run() {
  read_sections();
  add_symbols();
  renumber();
  make_tables();
  change_relocations();
  forget_unused();
  ungroup();
  leave_out();
  add_sections();
  if (elf_update(elf_.get(), ELF_C_WRITE) < 0) fail();
}

void Writer::read_sections() {
  std::size_t count = 0;
  if (elf_getshdrnum(elf_.get(), &count) != 0) fail();
  if (count + 8 >= SHN_LORESERVE)
    throw Error(ErrorCode::unsupported, path_ + ": has more sections than moult can add to; split the source");
  std::size_t next = count;
  for (NewSection* const each : all_new()) each->index = next++;
  for (std::size_t i = 1; i < count; ++i) {
    Elf_Scn* const section = elf_getscn(elf_.get(), i);
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr) fail();
    if (header.sh_type != SHT_SYMTAB) continue;
    symbols_ = section;
    first_global_ = header.sh_info;
  }
  if (symbols_ == nullptr) fail();
}

/// Nothing of the update is visible to other modules, so that the linker resolves what its objects use of each other.
void Writer::add_symbols() {
  const Elf_Data* const data = elf_getdata(symbols_, nullptr);
  if (data == nullptr) fail();
  symbol_table_.resize(data->d_size / sizeof(Elf64_Sym));
  std::memcpy(symbol_table_.data(), data->d_buf, symbol_table_.size() * sizeof(Elf64_Sym));
  for (std::size_t i = 1; i < symbol_table_.size(); ++i) {
    Elf64_Sym& symbol = symbol_table_[i];
    const bool is_left_out = symbol.st_shndx != SHN_UNDEF && symbol.st_shndx < SHN_LORESERVE &&
                             ELF64_ST_BIND(symbol.st_info) != STB_LOCAL && !plan_.sections.contains(symbol.st_shndx);
    if (plan_.undefined.contains(i) || is_left_out) {
      symbol.st_shndx = SHN_UNDEF;
      symbol.st_value = 0;
      symbol.st_size = 0;
    }
    const bool is_defined = symbol.st_shndx != SHN_UNDEF && ELF64_ST_BIND(symbol.st_info) != STB_LOCAL;
    if (is_defined) symbol.st_other = STV_HIDDEN;
  }
  std::size_t next = first_global_;
  for (NewSection* const each : all_new()) {
    each->symbol = next;
    Elf64_Sym symbol{};
    symbol.st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION);
    symbol.st_shndx = static_cast<Elf64_Section>(each->index);
    symbol_table_.insert(symbol_table_.begin() + static_cast<std::ptrdiff_t>(next++), symbol);
  }
  Elf_Data* const table = elf_getdata(symbols_, nullptr);
  table->d_buf = symbol_table_.data();
  table->d_size = symbol_table_.size() * sizeof(Elf64_Sym);
  elf_flagdata(table, ELF_C_SET, ELF_F_DIRTY);
  GElf_Shdr header{};
  gelf_getshdr(symbols_, &header);
  header.sh_info += added;
  header.sh_size = table->d_size;
  if (gelf_update_shdr(symbols_, &header) == 0) fail();
}

/// The plan has each shared function once. The linker would take all sections of a group from one object, left out or
/// not.
void Writer::ungroup() {
  for (Elf_Scn* each = nullptr; (each = elf_nextscn(elf_.get(), each)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(each, &header) == nullptr) fail();
    header.sh_flags &= ~GElf_Xword{SHF_GROUP};
    if (header.sh_type == SHT_GROUP) {
      header.sh_type = SHT_PROGBITS;
      header.sh_flags = SHF_EXCLUDE;
      header.sh_link = header.sh_info = 0;
      header.sh_entsize = 0;
    }
    if (gelf_update_shdr(each, &header) == 0) fail();
  }
}

/// Relocations refer to symbols by their numbers.
void Writer::renumber() {
  for (Elf_Scn* each = nullptr; (each = elf_nextscn(elf_.get(), each)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(each, &header) == nullptr) fail();
    if (header.sh_type != SHT_RELA) continue;
    Elf_Data* const data = elf_getdata(each, nullptr);
    if (data == nullptr) continue;
    for (std::size_t i = 0; i < data->d_size / sizeof(Elf64_Rela); ++i) {
      GElf_Rela entry{};
      if (gelf_getrela(data, static_cast<int>(i), &entry) == nullptr) fail();
      entry.r_info = GELF_R_INFO(moved(GELF_R_SYM(entry.r_info)), GELF_R_TYPE(entry.r_info));
      if (gelf_update_rela(data, static_cast<int>(i), &entry) == 0) fail();
    }
  }
}

/// A symbol of a section, and where it is in there.
std::size_t Writer::section_symbol(std::size_t section) const {
  for (std::size_t i = 1; i < symbol_table_.size(); ++i)
    if (symbol_table_[i].st_shndx == section) return i;
  throw Error(ErrorCode::unsupported, path_ + ": a section has no symbol");
}

void Writer::refer(NewSection& from, std::size_t offset, std::uint64_t symbol, std::int64_t addend,
                   std::uint32_t type) {
  from.relocations.push_back({offset, GELF_R_INFO(symbol, type), addend});
}

/// The object's symbol by that of its section.
void Writer::refer_to_symbol(NewSection& from, std::size_t offset, std::size_t symbol) {
  const ObjectSymbol& wanted = object_.symbols()[symbol];
  const std::size_t base = section_symbol(wanted.section);
  refer(from, offset, base, static_cast<std::int64_t>(wanted.value - symbol_table_[base].st_value), R_X86_64_PC64);
}

std::int64_t Writer::add_name(const std::string& name) {
  const std::size_t at = names_.bytes.size();
  names_.bytes.append(name).push_back('\0');
  return static_cast<std::int64_t>(at);
}

void Writer::make_tables() {
  sources_.bytes.append(source_).push_back('\0');
  for (const std::size_t each : plan_.variables) add_variable(each);
  for (const auto& [place, field] : plan_.fields) add_field(place, field);
  for (const ReplacedFunction& each : plan_.functions) add_function(each);
}

void Writer::add_field(const ObjectPlace& place, const BoundField& field) {
  const std::size_t entry = fields_.bytes.size();
  const std::size_t at = entry + offsetof(FieldEntry, place);
  if (field.variable) refer_to_symbol(fields_, entry + offsetof(FieldEntry, target), *field.variable);
  if (field.is_indirect) {
    const std::size_t slot = slots_section_.bytes.size();
    slots_.emplace(place, slot);
    append(slots_section_.bytes, std::uint64_t{0});
    refer(fields_, at, slots_section_.symbol, static_cast<std::int64_t>(slot));
    append(fields_.bytes, FieldEntry{0, field.kind, field.target, 0});
    return;
  }
  const std::size_t symbol = section_symbol(place.section);
  refer(fields_, at, symbol, static_cast<std::int64_t>(place.offset - symbol_table_[symbol].st_value));
  append(fields_.bytes, FieldEntry{0, field.kind, field.target, field.addend});
}

void Writer::add_variable(std::size_t symbol) {
  const ObjectSymbol& variable = object_.symbols()[symbol];
  const std::size_t entry = variables_.bytes.size();
  const bool is_local = variable.binding == Binding::local;
  // A variable of another type is another variable.
  const std::string shown = demangle(std::string(variable.name));
  const std::size_t colon = shown.rfind(':');
  const auto type = types_.find(colon == std::string::npos ? shown : shown.substr(colon + 1));
  std::string text = is_local ? source_ + ":" : std::string();
  text.append(variable.name).append(": ").append(type == types_.end() ? "?" : type->second);
  const std::int64_t name = add_name(text);
  refer_to_symbol(variables_, entry + offsetof(VariableEntry, place), symbol);
  refer(variables_, entry + offsetof(VariableEntry, name), names_.symbol, name);
  append(variables_.bytes, VariableEntry{0, variable.size});
}

void Writer::add_function(const ReplacedFunction& function) {
  const std::int64_t name = add_name(function.name);
  const std::size_t parts = std::max(function.code.size(), function.replacement.size());
  for (std::size_t i = 0; i < parts; ++i) {
    FunctionEntry entry;
    if (i < function.code.size()) {
      entry.begin = value(function.code[i].begin);
      entry.size = function.code[i].size();
    }
    const std::size_t at = functions_.bytes.size();
    if (i < function.replacement.size()) {
      const Piece& piece = function.replacement[i];
      entry.code_size = static_cast<std::uint32_t>(piece.size());
      const std::size_t symbol = section_symbol(piece.section);
      refer(functions_, at + offsetof(FunctionEntry, code), symbol,
            static_cast<std::int64_t>(piece.begin - symbol_table_[symbol].st_value));
    }
    refer(functions_, at + offsetof(FunctionEntry, name), names_.symbol, name);
    refer(functions_, at + offsetof(FunctionEntry, source), sources_.symbol, 0);
    if (function.code.empty())
      entry.part = FunctionPart::fresh;
    else if (i > 0)
      entry.part = FunctionPart::more;
    else
      entry.part = function.replacement.empty() ? FunctionPart::left : FunctionPart::entry;
    append(functions_.bytes, entry);
  }
}

/// What leads to the program is no matter for the linker.
void Writer::change_relocations() {
  for (Elf_Scn* each = nullptr; (each = elf_nextscn(elf_.get(), each)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(each, &header) == nullptr) fail();
    const bool is_linked =
        header.sh_type == SHT_RELA && header.sh_info < object_.sections().size() &&
        (plan_.sections.contains(header.sh_info) || object_.sections()[header.sh_info].name == ".eh_frame");
    if (!is_linked) continue;
    Elf_Data* const data = elf_getdata(each, nullptr);
    if (data == nullptr) continue;
    for (std::size_t i = 0; i < data->d_size / sizeof(Elf64_Rela); ++i) {
      GElf_Rela entry{};
      if (gelf_getrela(data, static_cast<int>(i), &entry) == nullptr) fail();
      const ObjectPlace place{header.sh_info, entry.r_offset};
      if (plan_.loads.contains(place)) {
        make_load(header.sh_info, entry.r_offset);
        used_.insert(GELF_R_SYM(entry.r_info));
        entry.r_info = GELF_R_INFO(GELF_R_SYM(entry.r_info), R_X86_64_REX_GOTPCRELX);
        if (gelf_update_rela(data, static_cast<int>(i), &entry) == 0) fail();
        continue;
      }
      const auto field = plan_.fields.find(place);
      if (field == plan_.fields.end()) {
        used_.insert(GELF_R_SYM(entry.r_info));
        continue;
      }
      if (const auto slot = slots_.find(place); slot != slots_.end())
        entry = {entry.r_offset, GELF_R_INFO(slots_section_.symbol, R_X86_64_PC32),
                 static_cast<std::int64_t>(slot->second) + field->second.addend};
      else
        entry = {entry.r_offset, GELF_R_INFO(0, R_X86_64_NONE), 0};
      if (gelf_update_rela(data, static_cast<int>(i), &entry) == 0) fail();
    }
    elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
  }
}

/// What only code uses that is left out need not be found in any library.
void Writer::forget_unused() {
  for (std::size_t i = first_global_ + added; i < symbol_table_.size(); ++i) {
    Elf64_Sym& symbol = symbol_table_[i];
    if (symbol.st_shndx != SHN_UNDEF || used_.contains(i)) continue;
    symbol.st_info = ELF64_ST_INFO(STB_WEAK, ELF64_ST_TYPE(symbol.st_info));
  }
}

/// Makes `lea place(%rip), register` of the field at `offset` a `mov`.
void Writer::make_load(std::size_t section, std::uint64_t offset) const {
  Elf_Data* const code = elf_getdata(elf_getscn(elf_.get(), section), nullptr);
  if (code == nullptr || offset < 2 || offset > code->d_size) fail();
  static_cast<std::uint8_t*>(code->d_buf)[offset - 2] = 0x8B;
  elf_flagdata(code, ELF_C_SET, ELF_F_DIRTY);
}

/// The linker drops what belongs to code that it does not link: its unwind information, and its entries in debug
/// information.
void Writer::leave_out() {
  for (std::size_t i = 1; i < object_.sections().size(); ++i) {
    const ObjectSection& section = object_.sections()[i];
    const bool is_wanted = !section.is_loaded() || plan_.sections.contains(i) || section.name == ".eh_frame" ||
                           section.name.starts_with(".note.gnu.property");
    if (is_wanted) continue;
    Elf_Scn* const each = elf_getscn(elf_.get(), i);
    GElf_Shdr header{};
    if (gelf_getshdr(each, &header) == nullptr) fail();
    header.sh_flags |= SHF_EXCLUDE;
    if (gelf_update_shdr(each, &header) == 0) fail();
  }
}

Elf_Data* Writer::add_section(const std::string& name, GElf_Shdr header, std::string& bytes) {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf_.get(), &names) != 0) fail();
  Elf_Data* const table = elf_getdata(elf_getscn(elf_.get(), names), nullptr);
  if (table == nullptr) fail();
  std::string text(static_cast<const char*>(table->d_buf), table->d_size);
  header.sh_name = static_cast<Elf64_Word>(text.size());
  text.append(name).push_back('\0');
  buffers_.push_back(std::move(text));
  table->d_buf = buffers_.back().data();
  table->d_size = buffers_.back().size();
  elf_flagdata(table, ELF_C_SET, ELF_F_DIRTY);
  Elf_Scn* const section = elf_newscn(elf_.get());
  Elf_Data* const data = section == nullptr ? nullptr : elf_newdata(section);
  if (data == nullptr) fail();
  data->d_buf = bytes.data();
  data->d_size = bytes.size();
  data->d_align = header.sh_addralign;
  data->d_version = EV_CURRENT;
  header.sh_size = bytes.size();
  GElf_Shdr created{};
  gelf_getshdr(section, &created);
  header.sh_offset = created.sh_offset;
  if (gelf_update_shdr(section, &header) == 0) fail();
  return data;
}

void Writer::add_sections() {
  const std::array all = all_new();
  for (NewSection* const each : all) {
    GElf_Shdr header{};
    header.sh_type = SHT_PROGBITS;
    header.sh_flags = SHF_ALLOC | (each == &slots_section_ ? SHF_WRITE : 0);
    header.sh_addralign = each == &names_ || each == &sources_ ? 1 : sizeof(std::uint64_t);
    add_section(each->name, header, each->bytes);
  }
  for (NewSection* const each : all) {
    if (each->relocations.empty()) continue;
    std::string& bytes = buffers_.emplace_back();
    for (const GElf_Rela& entry : each->relocations) append(bytes, entry);
    GElf_Shdr header{};
    header.sh_type = SHT_RELA;
    header.sh_flags = SHF_INFO_LINK;
    header.sh_link = static_cast<Elf64_Word>(elf_ndxscn(symbols_));
    header.sh_info = static_cast<Elf64_Word>(each->index);
    header.sh_entsize = sizeof(Elf64_Rela);
    header.sh_addralign = sizeof(std::uint64_t);
    add_section(std::string(".rela") + each->name, header, bytes)->d_type = ELF_T_RELA;
  }
}

}  // namespace

void write_update_object(const std::string& path, const ObjectFile& object, const EditPlan& plan,
                         const std::string& source, const std::map<std::string, std::string>& types,
                         const std::string& output) {
  std::error_code error;
  std::filesystem::copy_file(path, output, std::filesystem::copy_options::overwrite_existing, error);
  if (error) throw Error(ErrorCode::system, output + ": cannot be written: " + error.message());
  Writer(output, object, plan, source, types).run();
}

}  // namespace moult::internal::diff
