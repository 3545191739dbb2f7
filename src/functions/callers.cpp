#include "functions/callers.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "symbols/compilation.hpp"

namespace moult::internal {

Callers::Callers(const Program& program, std::span<const FunctionSymbol> functions)
    : program_(program), functions_(functions) {}

const std::vector<Branch>& Callers::of(CodeAddress entry) {
  std::vector<CodeAddress> entries{entry};
  for (const FunctionSymbol& function : std::exchange(functions_, {}))
    if (!is_marked(program_, function)) entries.push_back(function.range.begin);
  look_for(entries);
  return known_.at(entry);
}

void Callers::look_for(std::span<const CodeAddress> entries) {
  std::map<std::size_t, std::vector<CodeAddress>> unknown;  // by module
  for (const CodeAddress entry : entries)
    if (const std::optional<std::size_t> module = program_.module_at(entry); known_.try_emplace(entry).second && module)
      unknown[*module].push_back(entry);
  for (auto& [module, targets] : unknown) {
    std::sort(targets.begin(), targets.end());
    for (const CodeRange& range : executable_in(program_.modules()[module].text))
      for (const Branch& branch : branches_to(targets, range))
        if (may_share_source(program_, branch.at, branch.target)) known_[branch.target].push_back(branch);
  }
}

}  // namespace moult::internal
