// A function's first instructions made into a copy that can be executed elsewhere, decided from bytes alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "code/entry_plan.hpp"

namespace moult::internal {

struct MovedCode {
  /// Where each instruction of the copy begins, and whose place it stands for.
  struct Step {
    std::size_t offset = 0;
    std::optional<CodeAddress> original{};  ///< nothing: a return address was pushed, as at a function's entry
  };

  std::vector<std::uint8_t> bytes;
  std::vector<Step> steps;
};

/// The instructions from the beginning of `code` on that begin in its first `least` bytes, to be executed at `to`; then
/// the function goes on behind them. No branch of the function leads in between. A call leaves the return address that
/// it had, so that no unwinder ever sees the copy. Throws Error: unsupported_code for what cannot be executed elsewhere
/// or would return into the first `least` bytes; no_room when something is out of reach of `to`.
MovedCode move_code(const std::string& name, const CodeBytes& code, std::size_t least, CodeAddress to);

}  // namespace moult::internal
