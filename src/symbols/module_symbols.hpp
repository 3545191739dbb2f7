// The symbols and the debug information of one module, opened on first use.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "elf/elf_file.hpp"
#include "elf/module_list.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/function_index.hpp"
#include "symbols/inlined_copies.hpp"

namespace moult::internal {

class ModuleSymbols final {
 public:
  explicit ModuleSymbols(ElfFile file);

  const FunctionIndex& functions() const;
  /// False only when functions() has none that fits, indirect ones included. Quick: functions() need not be read.
  bool may_find(const NameQuery& query) const;
  /// functions().similar(last_name), but functions() are read only if there are any.
  std::vector<FunctionMatch> functions_similar_to(std::string_view last_name) const;
  const ElfFile& file() const noexcept { return file_; }
  /// True when the module has the entry of MOULT_UPDATE. Searched once, through all names.
  bool is_update() const;
  /// False when the module was stripped: only exported functions have names.
  bool has_symbol_table() const;
  /// False only when no symbol's name contains `text`. Quick: functions() need not be read.
  bool may_name(std::string_view text) const;
  /// True when the dynamic linker may bind other modules' calls of the function with that mangled name to this
  /// module's.
  bool exports(const std::string& mangled) const;
  /// False only when the debug information has no name that contains `text`. Quick: nothing of it need be read.
  bool may_describe(std::string_view text) const;
  /// False for a library of the system: its debug information, if there is any, was installed as a file of its own.
  bool has_own_debug_info() const { return file_.section(".debug_info") != nullptr; }
  /// In bytes, uncompressed; 0 when there is none.
  std::size_t debug_info_size() const;
  /// True for a library of the system that has nothing of C++: it knows no classes and none of a program's functions.
  bool is_of_system_in_c() const;
  /// Null when neither the module nor a debug file for it has any.
  const DebugInfo* debug_info() const;
  /// Only with debug information. After many calls an index is made, which gives the same answers faster.
  InlinedCopies inlined_copies(const InlinedFunction& function) const;
  /// Functions that the compiler may have merged with `function`, by debug information. The symbols of a unit are
  /// looked through once.
  std::vector<const Symbol*> functions_folded_into(const Symbol& function) const;
  /// The copies of functions of other modules, by their mangled names. Quick for names that occur nowhere.
  std::vector<InlinedCopy> copies_of_foreign(const std::vector<std::string>& names) const;

 private:
  std::vector<const ElfFile*> symbol_tables() const;

  ElfFile file_;
  std::optional<ElfFile> separate_;
  mutable std::optional<FunctionIndex> functions_;
  mutable std::optional<bool> is_update_;
  mutable std::unique_ptr<DebugInfo> debug_info_;
  mutable bool looked_for_debug_info_ = false;
  mutable int searches_for_copies_ = 0;
  mutable int searches_for_foreign_ = 0;
  mutable std::optional<CopyIndex> copy_index_;
  mutable std::unordered_map<const DebugUnit*, std::vector<const Symbol*>> undescribed_;
};

/// The files of modules, opened on first use. Equal files, such as copies of one update, are read once.
class ModuleFiles final {
 public:
  explicit ModuleFiles(std::vector<ModulePlace> places);

  /// Null when the file cannot be read; then `problem` says why.
  const ModuleSymbols* symbols(std::size_t module, std::string& problem);

 private:
  std::vector<ModulePlace> places_;
  std::vector<std::shared_ptr<const ModuleSymbols>> opened_;  ///< by module
};

}  // namespace moult::internal
