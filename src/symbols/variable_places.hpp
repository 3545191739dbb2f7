// Where a module's variable is: a library's may be the program's copy of it, or one that several libraries share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "elf/dynamic_linking.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/program.hpp"
#include "symbols/type_index.hpp"

namespace moult::internal {

class VariablePlaces final {
 public:
  explicit VariablePlaces(const Program& program) : program_(program), exported_(program.modules().size()) {
    for (std::size_t i = 0; i < exported_.size(); ++i)
      if (const ModuleSymbols* symbols = program.symbols_of(i)) exported_[i].emplace(symbols->file());
  }

  std::uintptr_t address_of(std::size_t module, const StaticVariable& variable) const {
    const std::uintptr_t own = program_.modules()[module].bias + variable.address;
    if (variable.linkage_name.empty() || !exported_[module]) return own;
    const std::optional<ExportedData::Place> shown = exported_[module]->find(variable.linkage_name);
    if (shown && shown->is_absolute) return shown->address;
    if (!shown || shown->address != variable.address) return own;
    const std::size_t last = shown->is_unique ? exported_.size() : 1;
    for (std::size_t i = 0; i < last; ++i) {
      const std::optional<ExportedData::Place> first =
          exported_[i] ? exported_[i]->find(variable.linkage_name) : std::nullopt;
      if (first && !first->is_absolute) return program_.modules()[i].bias + first->address;
    }
    return own;
  }

 private:
  const Program& program_;
  std::vector<std::optional<ExportedData>> exported_;
};

}  // namespace moult::internal
