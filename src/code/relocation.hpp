// Makes a copy of a function's first instructions that can be executed at another address. Decided from bytes alone.
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
  /// Where each instruction of the copy begins, and which original instruction it replaces.
  struct Step {
    std::size_t offset = 0;
    std::optional<CodeAddress> original{};  ///< nothing: a return address was pushed, as at a function's entry
  };

  std::vector<std::uint8_t> bytes;
  std::vector<Step> steps;
};

/// Copies the instructions that begin in the first `least` bytes of `code`, for execution at `to`, and continues behind
/// them in the function. No branch of the function leads into the copied bytes. A call pushes its original return
/// address, so that no unwinder ever sees the copy. Throws Error:
/// unsupported_code: an instruction cannot be executed elsewhere or would return into the first `least` bytes;
/// no_room: something is out of reach of `to`.
MovedCode move_code(const std::string& name, const CodeBytes& code, std::size_t least, CodeAddress to);

}  // namespace moult::internal
