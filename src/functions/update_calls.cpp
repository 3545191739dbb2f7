// Decodes every function of the module from its beginning to its end. A call or jump to another function is a call,
// also through the procedure linkage table or a slot of the global offset table. Any other operand that leads to a
// function takes its address. So does any word of the module's data, as in a vtable.
#include "functions/update_calls.hpp"

#include <gelf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "code/decoder.hpp"
#include "code/linkage_stub.hpp"
#include "code/patch.hpp"
#include "platform/poison.hpp"
#include "symbols/module_symbols.hpp"

namespace moult::internal {
namespace {

/// Reads the module's code and data in memory.
class CallReader final {
 public:
  CallReader(const Module& module, const ModuleSymbols& symbols) : module_(module), symbols_(symbols) {}

  std::optional<ModuleCalls> run() {
    for (const Symbol& symbol : symbols_.functions().all()) add(symbol);
    for (const Part& part : ranges_) owners_[part.range.begin] = &part;
    read_sections();
    read_objects();
    for (const Part& part : ranges_)
      if (!read_code(part)) return std::nullopt;
    return std::move(calls_);
  }

 private:
  struct Part {
    CodeRange range;
    CodeAddress entry{};  ///< of the function that it is a part of
  };

  /// Symbols at one address are one function, and a fragment belongs to the function it was split off from.
  void add(const Symbol& symbol) {
    const std::optional<FunctionMatch> match = symbols_.functions().at(symbol.begin);
    const bool is_known = match && match->original != nullptr;
    const CodeAddress entry = at_run_time(is_known ? match->original->begin : symbol.begin);
    const std::string_view name = match ? match->name.base : symbol.name;
    if (entry == at_run_time(symbol.begin)) calls_.names.try_emplace(entry, demangle(std::string(name)));
    ranges_.push_back({{at_run_time(symbol.begin), at_run_time(symbol.end)}, entry});
  }

  CodeAddress at_run_time(std::uint64_t address) const { return CodeAddress{module_.bias + address}; }

  /// The function that contains the address.
  std::optional<CodeAddress> function_at(CodeAddress address) const {
    auto found = owners_.upper_bound(address);
    if (found == owners_.begin()) return std::nullopt;
    const Part& part = *std::prev(found)->second;
    return part.range.contains(address) || part.range.begin == address ? std::optional(part.entry) : std::nullopt;
  }

  static std::uintptr_t word_at(std::uintptr_t address) {
    std::uintptr_t word = 0;
    copy_unchecked(reinterpret_cast<std::byte*>(&word), reinterpret_cast<const std::byte*>(address), sizeof word);
    return word;
  }

  std::optional<CodeAddress> function_in(std::uintptr_t slot) const {
    for (const auto& [begin, end] : slots_)
      if (slot >= begin && slot + sizeof slot <= end) return function_at(CodeAddress{word_at(slot)});
    return std::nullopt;
  }

  /// The offset table counts only where code uses it, all other data at once.
  void read_sections() {
    Elf* const elf = symbols_.file().handle();
    std::size_t names = 0;
    if (elf_getshdrstrndx(elf, &names) != 0) return;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
      GElf_Shdr header{};
      if (gelf_getshdr(section, &header) == nullptr || (header.sh_flags & SHF_ALLOC) == 0) continue;
      if ((header.sh_flags & SHF_WRITE) == 0 || header.sh_type == SHT_NOBITS) continue;
      const std::uintptr_t begin = module_.bias + header.sh_addr;
      const char* const text = elf_strptr(elf, names, header.sh_name);
      const std::string_view name = text != nullptr ? text : "";
      if (name == ".got" || name == ".got.plt") {
        slots_.emplace_back(begin, begin + header.sh_size);
        continue;
      }
      for (std::uintptr_t at = begin; at + sizeof at <= begin + header.sh_size; at += sizeof at)
        if (const auto function = function_at(CodeAddress{word_at(at)})) {
          calls_.taken.insert(*function);
          calls_.data.emplace(at, *function);
        }
    }
  }

  void read_objects() {
    Elf_Scn* const section = symbols_.file().section_of_type(SHT_SYMTAB);
    Elf_Data* const data = section != nullptr ? symbols_.file().data(section) : nullptr;
    GElf_Shdr header{};
    if (data == nullptr || gelf_getshdr(section, &header) == nullptr || header.sh_entsize == 0) return;
    const int count = static_cast<int>(header.sh_size / header.sh_entsize);
    for (int i = 1; i < count; ++i) {
      GElf_Sym symbol{};
      if (gelf_getsym(data, i, &symbol) == nullptr || GELF_ST_TYPE(symbol.st_info) != STT_OBJECT) continue;
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0) continue;
      const std::uintptr_t begin = module_.bias + symbol.st_value;
      calls_.objects[begin] = begin + symbol.st_size;
    }
  }

  bool read_code(const Part& part) {
    const std::vector<std::uint8_t> bytes = original_code(part.range);
    std::span<const std::uint8_t> rest(bytes);
    for (CodeAddress at = part.range.begin; !rest.empty();) {
      const std::optional<Instruction> instruction = decode(rest, at);
      if (!instruction) return false;
      note(*instruction, rest, at, part.entry);
      at = at + instruction->length;
      rest = rest.subspan(instruction->length);
    }
    return true;
  }

  void note(const Instruction& instruction, std::span<const std::uint8_t> bytes, CodeAddress at, CodeAddress caller) {
    if (instruction.target) return note_call(called_at(*instruction.target), caller);
    if (instruction.pointer) return note_call(function_in(*instruction.pointer), caller);
    const std::optional<std::uintptr_t> operand = rip_operand(instruction, bytes, at);
    if (!operand) return;
    std::optional<CodeAddress> function = function_at(CodeAddress{*operand});
    if (!function) function = function_in(*operand);
    if (!function) return;
    calls_.taken.insert(*function);
    calls_.takers[*function].insert(caller);
  }

  void note_call(std::optional<CodeAddress> called, CodeAddress caller) {
    if (called && *called != caller) calls_.callers[*called].insert(caller);
  }

  std::optional<CodeAddress> called_at(CodeAddress target) const {
    if (std::optional<CodeAddress> function = function_at(target)) return function;
    const std::optional<std::uintptr_t> slot = module_.text.contains(target) ? slot_of_stub(target) : std::nullopt;
    return slot ? function_in(*slot) : std::nullopt;
  }

  const Module& module_;
  const ModuleSymbols& symbols_;
  ModuleCalls calls_;
  std::vector<Part> ranges_;
  std::map<CodeAddress, const Part*> owners_;                     ///< by begin
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> slots_;  ///< the global offset table
};

}  // namespace

std::optional<ModuleCalls> calls_in(const Program& program, std::size_t module) {
  const ModuleSymbols* const symbols = program.symbols_of(module);
  if (symbols == nullptr || !symbols->has_symbol_table()) return std::nullopt;
  return CallReader(program.modules()[module], *symbols).run();
}

std::set<CodeAddress> with_helpers(const ModuleCalls& calls, std::set<CodeAddress> unreachable,
                                   const std::set<CodeAddress>& kept) {
  for (bool is_more = true; is_more;) {
    is_more = false;
    for (const auto& [function, callers] : calls.callers) {
      if (unreachable.contains(function) || kept.contains(function) || calls.taken.contains(function)) continue;
      bool is_helper = true;
      for (CodeAddress caller : callers) is_helper = is_helper && unreachable.contains(caller);
      if (is_helper) is_more = unreachable.insert(function).second;
    }
  }
  return unreachable;
}

}  // namespace moult::internal
