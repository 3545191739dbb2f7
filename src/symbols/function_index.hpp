// The functions of one module by name and by address.
//
// Compilers split functions: `f.cold` holds its unlikely part, `f.part.0`, `f.isra.0` and `f.constprop.0` are changed
// copies that callers call instead of `f`. These are fragments of `f`. `f.lto_priv.0` is no fragment: it is a local
// function renamed by link-time optimisation, because another file has one of the same name.
//
// Not thread-safe. All addresses are those of the file; names are views into the file's mapping.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "elf/elf_file.hpp"
#include "elf/symbol_table.hpp"
#include "symbols/class_name.hpp"
#include "symbols/name_query.hpp"
#include "symbols/place.hpp"

namespace moult::internal {

struct Symbol {
  std::string_view name;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string_view source;  ///< of a local symbol; empty when unknown
  bool is_local = false;
  bool is_weak = false;
  bool is_resolver = false;  ///< of an indirect function (or its stub), and not the function itself
  bool has_size = true;
};

/// A symbol's name in parts: "_Z1fi.lto_priv.0.isra.0.cold" has base "_Z1fi" and stem "_Z1fi.lto_priv.0".
struct SymbolName {
  std::string_view base;    ///< the part that can be demangled
  std::string_view stem;    ///< the original's name in the symbol table
  std::string_view suffix;  ///< ".isra.0.cold"; empty for an original
};
SymbolName split_symbol_name(std::string_view name);

/// True when callers call the fragment instead of the original; false when only the original leads to it.
bool is_clone_suffix(std::string_view suffix);

/// An original with its fragments; without an original when the compiler has left none.
struct FunctionMatch {
  const Symbol* original = nullptr;
  SymbolName name;
  std::vector<const Symbol*> fragments;
};

class FunctionIndex final {
 public:
  /// `tables` are searched in order for symbols; `program` has the sections' ends. Both must outlive the index.
  FunctionIndex(const std::vector<const ElfFile*>& tables, const ElfFile& program);
  /// False only when such an index would find nothing. Takes a fraction of the index's time, and no memory.
  static bool may_find(const std::vector<const ElfFile*>& tables, const NameQuery& query);
  /// The same for similar functions.
  static bool may_find_similar(const std::vector<const ElfFile*>& tables, std::string_view last_name);

  /// Every symbol, by address: fragments, thunks and aliases too.
  std::span<const Symbol> all() const noexcept { return symbols_; }
  /// One match for each address, whatever its aliases.
  std::vector<FunctionMatch> find(const NameQuery& query) const;
  /// The resolvers of indirect functions, which find omits.
  std::vector<FunctionMatch> find_indirect(const NameQuery& query) const;
  /// Originals whose demangled name contains `text`; unsorted.
  std::vector<FunctionMatch> search(std::string_view text) const;
  /// Originals whose last name component contains or resembles the identifier `last_name`, the nearest first. Without
  /// those of the standard library and of moult.
  std::vector<FunctionMatch> similar(std::string_view last_name) const;
  /// Every symbol of a member function of the class, with aliases, without thunks and fragments.
  std::vector<FunctionMatch> members_of(const ClassName& of_class) const;
  /// The function of the symbol that covers `address`; for a fragment, its original.
  std::optional<FunctionMatch> at(std::uint64_t address) const;
  /// Every symbol at the address `begin`.
  std::vector<const Symbol*> aliases_of(std::uint64_t begin) const;
  std::optional<std::uint64_t> find_data(std::string_view mangled) const;
  /// Every data symbol of that name.
  std::vector<DataPlace> find_all_data(std::string_view mangled) const;
  /// Data symbols whose mangled name begins with `beginning`, each with its place.
  std::vector<std::pair<std::string_view, DataPlace>> data_beginning_with(std::string_view beginning) const;

  struct DataSymbol {
    std::string_view name;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    bool is_local = false;
  };
  /// The data symbol with the byte at `address`, or null.
  const DataSymbol* data_at(std::uint64_t address) const;

 private:
  template <class MayFit, class Fits>
  std::vector<FunctionMatch> originals(const MayFit& may_fit, const Fits& fits) const;
  void read_table(const SymbolTable& table);
  void sort_by_address(const ElfFile& program);
  /// Of an indirect function made by the attribute target_clones: f.resolver.
  bool has_resolver(std::string_view stem) const;
  FunctionMatch match_of(const Symbol& original) const;
  FunctionMatch match_of_fragment(const Symbol& fragment) const;
  void add_orphans(const NameQuery& query, std::vector<FunctionMatch>& matches) const;

  std::vector<Symbol> symbols_;          ///< sorted by address
  std::vector<std::uint64_t> last_end_;  ///< the greatest end so far, for symbols inside of others
  std::vector<DataSymbol> data_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> fragments_;  ///< by stem
};

}  // namespace moult::internal
