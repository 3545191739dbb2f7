// A linked program or library as the comparison needs it: its bytes by address, its symbols by name, with the source
// file of local ones, and what the linker and the dynamic linker put in between: stubs (PLT) and pointers (GOT).
//
// Not thread-safe. All addresses are those of the file; names and bytes are views into the ElfFile, which must outlive
// this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "diff/symbol.hpp"
#include "elf/elf_file.hpp"

namespace moult::internal::diff {

struct LinkedSymbol {
  std::string_view name;  ///< without its version
  SymbolKind kind = SymbolKind::other;
  Binding binding = Binding::local;  ///< as the objects had it: hidden symbols are not local
  std::uint64_t address = 0;         ///< of a thread-local variable: its offset in the thread's block
  std::uint64_t size = 0;
  std::size_t unit = 0;  ///< of a local symbol
  bool is_indirect = false;
};

/// What an address or a pointer of the linked file means.
struct Destination {
  enum class Kind {
    address,              ///< of this file; 0 for a weak symbol that nothing defines
    import,               ///< what the dynamic linker binds by name
    thread_local_offset,  ///< of a variable of this file, in each thread's block
    thread_local_import,
  };
  Kind kind = Kind::address;
  std::uint64_t value = 0;  ///< the address, the offset, or what is added to the import
  std::string_view import{};
};

class LinkedFile final {
 public:
  /// Throws Error: unreadable (an object, a damaged file), unsupported (stripped: no local symbol has a name).
  explicit LinkedFile(const ElfFile& file);

  /// The parts of the symbol table that came from a source of that name, each with the local symbols of one object.
  std::vector<std::size_t> units_of(std::string_view source) const;
  std::span<const std::size_t> named(std::string_view name) const;
  /// The symbols at an address, or at an offset in the thread's block.
  std::span<const std::size_t> at(std::uint64_t address) const;
  /// The last function before an address, or null.
  const LinkedSymbol* function_before(std::uint64_t address) const;
  std::span<const LinkedSymbol> symbols() const noexcept { return symbols_; }

  /// Nothing if they are not in the file: beyond its segments, or zero at the start.
  std::optional<std::span<const std::uint8_t>> bytes(std::uint64_t address, std::uint64_t size) const;
  /// The bytes from there to the end of their segment; empty if there are none.
  std::span<const std::uint8_t> bytes_from(std::uint64_t address) const;
  /// What a variable holds at the start, and where that is in the file; nothing if all of it is zero.
  struct InitialValue {
    std::uint64_t address = 0;
    std::span<const std::uint8_t> bytes;
  };
  std::optional<InitialValue> initial_value_of(const LinkedSymbol& variable) const;
  /// The pointer that is at `address` when the program runs, as a GOT has them, or tables of pointers.
  std::optional<Destination> pointer_at(std::uint64_t address) const;
  /// What a stub of the linker at `address` jumps to.
  std::optional<Destination> target_of_stub(std::uint64_t address) const;
  /// The offset in the thread's block that `%fs:field` accesses.
  std::uint64_t offset_in_thread_block(std::int64_t field) const noexcept { return tls_size_ + field; }
  /// Whether the program's code may write there.
  bool is_writable(std::uint64_t address) const noexcept;
  /// The sections of code.
  std::span<const CodeRange> code() const noexcept { return code_; }
  /// Whether a pointer to `address` is in the program's data at the start, as the dynamic linker writes it.
  bool is_pointed_to(std::uint64_t address) const { return pointed_to_.contains(address); }
  /// What the program adds to %fs to access a thread-local variable of its own.
  std::int64_t thread_offset_of(const LinkedSymbol& variable) const noexcept {
    return static_cast<std::int64_t>(variable.address - tls_size_);
  }
  /// Of the code that begins at `code`, be it a function or its cold part; nothing if it has none.
  std::optional<std::uint64_t> exception_table_of(std::uint64_t code) const;
  /// The linker has simplified every access to thread-local variables of an executable's own.
  bool is_executable() const noexcept { return is_executable_; }

 private:
  struct Segment {
    std::uint64_t begin = 0;
    std::span<const std::uint8_t> bytes;
  };
  struct Binding64 {
    std::uint32_t type = 0;
    std::string_view name;
    bool is_defined = false;
    std::uint64_t value = 0;
    std::int64_t addend = 0;
  };

  void read_segments(const ElfFile& file);
  void read_symbols(const ElfFile& file);
  void read_bindings(const ElfFile& file);
  void read_bindings(const ElfFile& file, Elf_Scn* section);
  void read_sections(const ElfFile& file);

  std::string path_;
  std::vector<Segment> segments_;
  std::vector<CodeRange> writable_;  ///< without what is protected after relocation
  std::vector<CodeRange> code_;
  std::unordered_set<std::uint64_t> pointed_to_;
  std::vector<LinkedSymbol> symbols_;
  std::vector<std::string_view> units_;  ///< the name of each one's source; [0] belongs to no source
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_name_;
  std::vector<std::size_t> by_address_;                    ///< sorted
  std::unordered_map<std::uint64_t, Binding64> bindings_;  ///< of the dynamic linker, by address
  std::vector<CodeRange> stubs_;                           ///< sections of them, by address
  std::unordered_map<std::uint64_t, std::uint64_t> exception_tables_;
  std::uint64_t tls_begin_ = 0;      ///< where the first values of thread-local variables are
  std::uint64_t tls_file_size_ = 0;  ///< of those that are not zero
  std::uint64_t tls_size_ = 0;
  bool is_executable_ = false;
};

}  // namespace moult::internal::diff
