// What an edit of one source changes in a program: each function, variable and constant of the freshly compiled object
// is compared with the linked program's, so that neither the old source nor the old object is needed.
//
//   const ElfFile object = ElfFile::open("answer.o");
//   const ElfFile program = ElfFile::open("app");
//   const LinkedFile linked(program);
//   for (const ComparedItem& each : compare(ObjectFile(object), linked, debug_info).items)
//     if (each.outcome == DiffOutcome::changed) std::cout << each.name << ": " << each.reason << "\n";
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diff/linked_file.hpp"
#include "diff/object_file.hpp"
#include "symbols/debug_info.hpp"

namespace moult::internal::diff {

enum class DiffOutcome {
  same,
  changed,
  added,    ///< the program has no such function
  gone,     ///< the program has it from this source, and the object does not
  dropped,  ///< the program was compiled with it, and the linker left it out because nothing used it
  unknown,  ///< moult cannot judge it
};

/// "same", "changed", "new", "gone", "dropped", "unknown".
std::string_view name_of(DiffOutcome outcome) noexcept;

enum class ItemKind { function, variable, constant };

struct ComparedItem {
  ItemKind kind = ItemKind::function;
  std::string symbol;
  std::string name;  ///< demangled
  DiffOutcome outcome = DiffOutcome::same;
  std::string reason{};  ///< the first difference, or what moult cannot judge
  /// Of a shared function that differs and is unknown for that reason: the source that the program's copy came from, as
  /// the compiler was given it. If that source shows no change, there is none.
  std::string origin{};
  std::optional<std::size_t> symbol_index{};  ///< in the object; nothing if it is gone
  const LinkedSymbol* linked = nullptr;       ///< what it was compared with, or what is gone; null if it is new
};

struct FileComparison {
  /// Functions in the object's order, then the functions that are gone, then variables and constants, likewise. A new
  /// variable is there only if a function that is not the same uses it.
  std::vector<ComparedItem> items;
  /// The part of the program's symbol table that came from this source; nothing if it has none.
  std::optional<std::size_t> unit{};
  /// What the program's debug information has of this source; null if it has none.
  const DebugUnit* source = nullptr;
  std::size_t fitting = 0;  ///< local symbols of `unit` that the debug information has in `source`

  std::size_t count(ItemKind kind, DiffOutcome outcome) const;
  /// Most functions that both have differ: the compiler, its flags or the sources are hardly those of the program.
  bool is_of_other_build() const;
};

/// `debug_info` is the program's. Without it, global functions that are gone are not seen, and those that the linker
/// dropped are new. A shared function (inline, template) that differs is unknown then, because the program may have the
/// copy of another source.
FileComparison compare(const ObjectFile& object, const LinkedFile& program, const DebugInfo* debug_info);

}  // namespace moult::internal::diff
