#include "symbols/compilation.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "symbols/debug_info.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/module_symbols.hpp"

namespace moult::internal {
namespace {

/// The address in a module's file, with the module's debug information.
struct DescribedPlace {
  const DebugInfo* info = nullptr;
  std::uint64_t address = 0;
};

std::optional<DescribedPlace> described(const Program& program, CodeAddress place) {
  const std::optional<std::size_t> module = program.module_at(place);
  const ModuleSymbols* const symbols = module ? program.symbols_of(*module) : nullptr;
  const DebugInfo* const info = symbols != nullptr ? symbols->debug_info() : nullptr;
  if (info == nullptr) return std::nullopt;
  return DescribedPlace{info, value(place) - program.modules()[*module].bias};
}

const DebugUnit* unit_at(const Program& program, CodeAddress place) {
  const std::optional<DescribedPlace> known = described(program, place);
  return known ? known->info->unit_at(known->address) : nullptr;
}

/// Calls `visit(word)` for the words of `text`.
template <class Visit>
void for_each_word(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

Compilation::Compiler Compilation::compiler() const noexcept {
  if (producer_.find("clang") != std::string::npos) return Compiler::clang;
  return producer_.starts_with("GNU ") && !producer_.starts_with("GNU AS") ? Compiler::gcc : Compiler::unknown;
}

int Compilation::gcc_version() const noexcept {
  if (compiler() != Compiler::gcc) return 0;
  // "GNU C++20 12.2.0 -O2"
  const std::size_t dialect = producer_.find(' ') + 1;
  const std::size_t version = producer_.find(' ', dialect) + 1;
  int number = 0;
  std::from_chars(producer_.data() + version, producer_.data() + producer_.size(), number);
  return number;
}

bool Compilation::has(std::string_view flag) const {
  bool found = false;
  for_each_word(producer_, [&](std::string_view word) {
    found = found || word == flag || (word.starts_with(flag) && word.substr(flag.size()).starts_with('='));
  });
  return found;
}

bool Compilation::optimises() const {
  bool has_flags = false;
  bool does = false;
  for_each_word(producer_, [&](std::string_view word) {
    has_flags = has_flags || word.starts_with('-');
    if (word.starts_with("-O")) does = word != "-O0";
  });
  return does || !has_flags;  // -gno-record-gcc-switches, or clang without -grecord-command-line
}

bool Compilation::relies_on_bodies(std::string_view optimisation) const {
  return optimises() && !has("-flive-patching") && !has("-fno-" + std::string(optimisation));
}

bool Compilation::optimises_links() const {
  return producer_.starts_with("GNU GIMPLE") || has("-flto") || has("-fwhole-program");
}

Compilation compilation_at(const Program& program, CodeAddress place) {
  const DebugUnit* const unit = unit_at(program, place);
  if (unit == nullptr) return Compilation({});
  Dwarf_Die die = unit->content;
  Dwarf_Attribute attribute{};
  const char* const text = dwarf_formstring(dwarf_attr(&die, DW_AT_producer, &attribute));
  return Compilation(text != nullptr ? text : "");
}

Compilation compilation_of_body(const Program& program, const FunctionSymbol& function) {
  const std::optional<DescribedPlace> known = described(program, function.range.begin);
  const bool is_compiled = known && known->info->is_compiled_at(known->address);
  return is_compiled ? compilation_at(program, function.range.begin) : Compilation({});
}

bool may_share_source(const Program& program, CodeAddress one, CodeAddress other) {
  const DebugUnit* const first = unit_at(program, one);
  const DebugUnit* const second = unit_at(program, other);
  return first == nullptr || second == nullptr || first == second || compilation_at(program, one).optimises_links();
}

bool is_marked(const Program& program, const FunctionSymbol& function) {
  const CodeAddress entry = function.range.begin;
  if (compilation_at(program, entry).compiler() == Compilation::Compiler::clang) return function.is_weak;
  constexpr std::uint64_t marked = 16;  // bytes: MOULT_UPDATABLE
  const std::optional<DescribedPlace> known = described(program, entry);
  const std::optional<Dwarf_Die> die = known ? known->info->function_at(known->address) : std::nullopt;
  const std::vector<Dwarf_Die> parts = die ? parts_of(*die) : std::vector<Dwarf_Die>();
  return std::any_of(parts.begin(), parts.end(),
                     [&](const Dwarf_Die& part) { return number_of(part, DW_AT_alignment) == marked; });
}

bool may_be_known(const Program& program, const FunctionSymbol& function, std::string_view optimisation) {
  const Compilation compilation = compilation_of_body(program, function);
  return compilation.compiler() != Compilation::Compiler::unknown && compilation.relies_on_bodies(optimisation) &&
         !is_marked(program, function);
}

}  // namespace moult::internal
