#include "functions/callers.hpp"

#include <vector>

#include "code/branches.hpp"
#include "symbols/compilation.hpp"

namespace moult::internal {

std::optional<CodeAddress> call_in_source(const Program& program, const FunctionSymbol& function) {
  const std::optional<std::size_t> module = program.module_at(function.range.begin);
  if (!module) return std::nullopt;
  const std::vector<CodeAddress> target{function.range.begin};
  for (const CodeRange& range : executable_in(program.modules()[*module].text))
    for (const Branch& branch : branches_to(target, range))
      if (may_share_source(program, branch.at, branch.target)) return branch.at;
  return std::nullopt;
}

}  // namespace moult::internal
