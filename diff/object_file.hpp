// A freshly compiled object (.o) as the comparison needs it: sections with their relocations, symbols, and pieces.
//
// A piece is what the linker places as a whole: a function, a variable, a string, or a table without a name. Its bytes
// stay together in the linked program, whatever is before and after it there.
//
// Not thread-safe. Names and bytes are views into the ElfFile, which must outlive the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "diff/symbol.hpp"
#include "elf/elf_file.hpp"

namespace moult::internal::diff {

struct Relocation {
  std::uint64_t offset = 0;  ///< in its section
  std::uint32_t type = 0;    ///< R_X86_64_*
  std::size_t symbol = 0;    ///< index into the object's symbols
  std::int64_t addend = 0;
  /// Distance from the addend to the place in the target's section that the source means: a field that is relative to
  /// the program counter counts from the end of its instruction. 0 in data.
  std::int64_t bias = 0;
};

struct ObjectSymbol {
  std::string_view name;
  SymbolKind kind = SymbolKind::other;
  Binding binding = Binding::local;
  std::size_t section = 0;  ///< 0: another file defines it, or the linker allocates it (a common symbol)
  std::uint64_t value = 0;  ///< offset in the section
  std::uint64_t size = 0;
  bool is_indirect = false;
};

struct ObjectSection {
  std::string_view name;
  std::span<const std::uint8_t> bytes;  ///< empty when all of them are zero
  std::uint64_t size = 0;
  std::uint64_t flags = 0;              ///< SHF_*
  std::uint64_t alignment = 0;          ///< bytes
  std::uint64_t entry_size = 0;         ///< of constants that the linker merges
  std::vector<Relocation> relocations;  ///< by offset
  std::vector<std::size_t> symbols;     ///< named ones, by value
  std::set<std::uint64_t> boundaries;   ///< where something may begin: symbols and places that relocations lead to

  bool is_loaded() const noexcept;
  bool is_code() const noexcept;
  /// The linker may have merged its strings or constants with those of other files.
  bool is_merged() const noexcept;
  bool has_strings() const noexcept;
  /// Nothing writes to it after relocation.
  bool is_constant() const noexcept;
};

/// A part of a section, without its end.
struct Piece {
  std::size_t section = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const noexcept { return end - begin; }
  bool contains(std::uint64_t offset) const noexcept { return begin <= offset && offset < end; }
  // clang-tidy takes the 0 that a comparison is rewritten with for a null pointer.
  auto operator<=>(const Piece&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// A function with all names that it has in the object.
struct ObjectFunction {
  Piece piece;
  std::vector<std::size_t> symbols;  ///< the preferred name first: a global one, the shortest
};

class ObjectFile final {
 public:
  /// Throws Error (unreadable): it is no relocatable object, or a part lies beyond the end of another.
  explicit ObjectFile(const ElfFile& file);

  /// The name of its source as the compiler wrote it (STT_FILE), without a folder; empty when there is none.
  std::string_view source() const noexcept { return source_; }
  std::span<const ObjectSection> sections() const noexcept { return sections_; }
  std::span<const ObjectSymbol> symbols() const noexcept { return symbols_; }
  const ObjectSection& section(const Piece& piece) const { return sections_[piece.section]; }

  /// Every function but the cold parts of others, by section and offset.
  std::vector<ObjectFunction> functions() const;
  /// The symbols of variables and constants that have a name of their own: not those that the compiler numbers.
  std::vector<std::size_t> variables() const;
  /// The one that the relocation leads to; nothing if it leads elsewhere.
  std::optional<std::size_t> variable_of(const Relocation& relocation) const;
  /// The cold part of the function with that name ("f.cold"), or null.
  const ObjectSymbol* cold_part_of(std::string_view name) const;
  /// What is at `offset` of `section`; empty beyond its end.
  Piece piece_at(std::size_t section, std::uint64_t offset) const;
  /// The symbol whose bytes include `offset`; null when a place has no name. A global one is preferred.
  const ObjectSymbol* symbol_at(std::size_t section, std::uint64_t offset) const;
  /// The relocations of the bytes of `piece`.
  std::span<const Relocation> relocations_of(const Piece& piece) const;

 private:
  void read_sections(const ElfFile& file);
  void read_symbols(const ElfFile& file);
  void read_relocations(const ElfFile& file);
  void find_biases();
  void find_biases(const ObjectSection& in, std::span<Relocation> relocations) const;
  bool needs_exact_bias(const Relocation& relocation) const;
  void note_boundaries();
  Piece merged_piece_at(std::size_t section, std::uint64_t offset) const;
  [[noreturn]] void fail(const std::string& why) const;

  std::string path_;
  std::string_view source_;
  std::vector<ObjectSection> sections_;
  std::vector<ObjectSymbol> symbols_;
  std::unordered_map<std::string_view, std::size_t> cold_parts_;  ///< by the name of their function
};

}  // namespace moult::internal::diff
