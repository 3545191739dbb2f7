// All that is read of one module, opened when it is first asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
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
  const ElfFile& file() const noexcept { return file_; }
  /// Whether it has the entry that MOULT_UPDATE makes. Looked for once: it goes through all names.
  bool is_update() const;
  /// False: it was stripped, and only what it shows to others has a name.
  bool has_symbol_table() const;
  /// Null when neither the module nor a debug file of it has any.
  const DebugInfo* debug_info() const;
  /// Only with debug information. Many questions get an index made, and quick answers from then on; they are the same.
  InlinedCopies inlined_copies(const InlinedFunction& function) const;

 private:
  ElfFile file_;
  std::optional<ElfFile> separate_;
  mutable std::optional<FunctionIndex> functions_;
  mutable std::optional<bool> is_update_;
  mutable std::unique_ptr<DebugInfo> debug_info_;
  mutable bool looked_for_debug_info_ = false;
  mutable int searches_for_copies_ = 0;
  mutable std::optional<CopyIndex> copy_index_;
};

/// The files of modules, opened when they are first asked for. Equal ones, as copies of one update, are read once.
class ModuleFiles final {
 public:
  explicit ModuleFiles(std::vector<ModulePlace> places);

  /// Null when the file cannot be read, and then `problem` says why.
  const ModuleSymbols* symbols(std::size_t module, std::string& problem);

 private:
  std::vector<ModulePlace> places_;
  std::vector<std::shared_ptr<const ModuleSymbols>> opened_;  ///< by module
};

}  // namespace moult::internal
