// The debug information (DWARF) of one module, as far as functions are concerned.
//
// A function's debugging information entry (DIE) comes in up to three parts, each referring to the next: the code (with
// addresses), the abstract function (shared by the code and its inlined copies), and the declaration in a class or
// namespace. Two DIEs belong to one function when their chains of parts meet.
//
// Not thread-safe. All addresses are addresses of the file.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "elf/elf_file.hpp"
#include "elf/reader_memory.hpp"
#include "elf/separate_debug.hpp"
#include "symbols/place.hpp"

namespace moult::internal {

/// A compilation unit, or what dwz has made of parts of several.
struct DebugUnit {
  Dwarf_Die skeleton{};     ///< in the module itself, or in its supplementary file: addresses and lines
  Dwarf_Die content{};      ///< the same, or its counterpart in the .dwo file
  std::string_view bytes;   ///< the unit in the file of `skeleton`
  bool refers_out = false;  ///< may refer to other units
  bool is_split = false;    ///< -gsplit-dwarf
  bool is_type = false;     ///< a type that other units refer to by its signature
  bool is_missing = false;  ///< split, and its .dwo file could not be opened
};

class DebugInfo final {
 public:
  /// Null when `file` has no debug information. `file` must outlive it.
  static std::unique_ptr<DebugInfo> open(const ElfFile& file);

  /// Those of the supplementary file are the last.
  const std::vector<DebugUnit>& units() const noexcept { return units_; }
  /// The unit whose code is at `address`, or null.
  const DebugUnit* unit_at(std::uint64_t address) const;
  /// The unit's code, by address.
  std::vector<CodeRange> ranges_of(const DebugUnit& unit) const;
  /// The DIE of the function whose code, fragments included, is at `address`.
  std::optional<Dwarf_Die> function_at(std::uint64_t address) const;
  /// False for the entry of a function that is written in assembly in a compiler's source file: it has no line of its
  /// own. With the least debug information (-g1) a function may have lines and no DIE.
  bool is_compiled_at(std::uint64_t entry) const;
  /// The file in which the function at `address` was declared; empty when unknown.
  std::string source_of(std::uint64_t address) const;
  std::optional<SourceLine> line_of(std::uint64_t address) const;
  /// As Program's.
  std::optional<SourceLine> own_line_of(std::uint64_t address) const;
  /// False for addresses of functions that the linker has dropped.
  bool is_code(std::uint64_t address) const { return range_at(code_, address) != nullptr; }
  /// The name of a supplementary file or a .dwo file that could not be opened; empty when none is missing.
  std::string missing_file() const;
  /// True when such a supplementary file is missing. References into it lead nowhere, or into a file of another build.
  bool lacks_supplementary_file() const { return supplementary_ && !supplementary_handle_; }
  /// "debug information of MODULE is in FILE, ...", with the next step; empty when no file is missing.
  std::string missing_file_problem(const std::string& module) const;

  const ElfFile& file() const noexcept { return *file_; }

 private:
  struct End {
    std::uint64_t failed_before;  ///< failed_reader_allocations() when it was opened
    /// Leaves a handle that may be half changed.
    void operator()(Dwarf* handle) const noexcept {
      if (failed_reader_allocations() == failed_before) dwarf_end(handle);
    }
  };
  struct UnitRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::size_t unit = 0;
  };

  struct FunctionRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::size_t order = 0;  ///< the DIE's position in its unit
    Dwarf_Die die{};
  };
  /// The functions of one unit by their code.
  struct UnitFunctions {
    std::vector<FunctionRange> ranges;    ///< sorted
    std::vector<std::uint64_t> last_end;  ///< the greatest end so far: dropped functions may overlap others
  };

  using Handle = std::unique_ptr<Dwarf, End>;
  /// By the offset of an abbreviation table: whether it has references to other units.
  using ReferencesOut = std::unordered_map<std::uint64_t, bool>;

  DebugInfo(const ElfFile& file, Dwarf* handle);
  void open_supplementary();
  void read_units(const ElfFile& file, Dwarf* handle);
  void read_unit_ranges() const;
  const UnitFunctions& functions_of(const DebugUnit& unit) const;

  const ElfFile* file_;
  std::optional<SupplementaryDebug> supplementary_;
  Handle supplementary_handle_;  ///< outlives `handle_`, which uses it
  Handle handle_;
  std::vector<CodeRange> code_;
  std::vector<DebugUnit> units_;
  mutable std::vector<UnitRange> ranges_;                                  ///< sorted; read on first use
  mutable std::unordered_map<const DebugUnit*, UnitFunctions> functions_;  ///< read on first use
};

/// The parts of the function that `die` belongs to, `die` first.
std::vector<Dwarf_Die> parts_of(const Dwarf_Die& die);

/// The mangled name, from any part; empty for C functions and most local ones.
std::string_view linkage_name_of(const std::vector<Dwarf_Die>& parts);

/// The first address of a subprogram's code; nothing for an abstract function or a declaration.
std::optional<std::uint64_t> code_of(const Dwarf_Die& die);

/// The file that the attribute (DW_AT_decl_file, DW_AT_call_file, ...) names by number; empty when unknown.
std::string file_named_by(const Dwarf_Die& die, unsigned attribute);

/// The place of declaration, from any part; line 0 when unknown.
SourceLine declared_at(const Dwarf_Die& die);

/// Calls `visit(die, function)` for `die` and everything inside, in order. `function` is the innermost enclosing
/// subprogram with code, or null. Stops when a visit returns false.
template <class Visit>
bool visit_all(const Dwarf_Die& die, const Dwarf_Die* function, Visit&& visit, int depth = 0) {
  constexpr int deepest = 300;  // only damaged files nest deeper
  Dwarf_Die current = die;
  if (!visit(current, function)) return false;
  if (dwarf_haschildren(&current) <= 0 || depth > deepest) return true;
  const bool is_code = dwarf_tag(&current) == DW_TAG_subprogram && code_of(current).has_value();
  Dwarf_Die child{};
  if (dwarf_child(&current, &child) != 0) return true;
  do {
    if (!visit_all(child, is_code ? &current : function, visit, depth + 1)) return false;
  } while (dwarf_siblingof(&child, &child) == 0);
  return true;
}

}  // namespace moult::internal
