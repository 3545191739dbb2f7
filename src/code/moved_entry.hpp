// The way into a function's code as it was compiled, whatever its entry leads to: its first instructions as a copy
// (relocation.hpp), which continues behind them in the function.
#pragma once

#include <string>

#include "base/address.hpp"
#include "code/patch.hpp"

namespace moult::internal {

/// The copy is made once and stays for ever. Throws Error: no_room, system, and
/// unsupported_code: an instruction cannot be executed elsewhere, or the function jumps back to its own entry, which
/// may lead to another version; `next_step` ends the message.
CodeAddress moved_entry(const EntryCode& entry, const std::string& next_step);

/// Code that keeps doing what the function does now, whatever it is redefined as later: the active version, or the
/// moved entry. Throws as moved_entry does.
CodeAddress permanent_entry(const EntryCode& entry, const std::string& next_step);

}  // namespace moult::internal
