// Entries of the procedure linkage table, through which a module calls functions of other modules: `jmp [slot]`, behind
// an endbr64 if indirect branches are tracked. Until the loader binds the slot, it leads to code that pushes the slot's
// number for the loader.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.hpp"

namespace moult::internal {

/// The slot that the stub at `code` jumps through. Nothing if other code is there.
std::optional<std::uintptr_t> slot_of_stub(CodeAddress code);

/// The present target of `slot`.
CodeAddress target_in(std::uintptr_t slot) noexcept;

/// Where a call through `slot` leads, once the loader has bound it. Nothing if that is not known, or `slot`, perhaps
/// taken from data among the code, is no memory. Looks names up, so call it while the program runs.
std::optional<CodeAddress> destination_of(std::uintptr_t slot);

/// The mangled name that the loader will look up at the first call of `target`, the target of a slot. Empty if that
/// cannot be determined; nothing if the slot is bound. Takes no lock, so it may be called in a stopped program.
std::optional<std::string_view> unbound_name(CodeAddress target);

}  // namespace moult::internal
