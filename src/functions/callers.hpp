// Direct calls of functions in code that may have been compiled knowing their bodies.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "code/branches.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// A search reads all code of a module, so it looks for many functions at once.
class Callers final {
 public:
  /// `functions` will be asked for; those marked MOULT_UPDATABLE will not.
  Callers(const Program& program, std::span<const FunctionSymbol> functions);

  /// Direct calls of the function that begins at `entry`, and jumps to it, from the source file that defines it; by
  /// address.
  const std::vector<Branch>& of(CodeAddress entry);
  /// Searches for all of these, as far as they are not known yet.
  void look_for(std::span<const CodeAddress> entries);

 private:
  const Program& program_;
  std::span<const FunctionSymbol> functions_;
  std::map<CodeAddress, std::vector<Branch>> known_;
};

}  // namespace moult::internal
