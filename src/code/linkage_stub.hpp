// Entries of the procedure linkage table, through which a module calls functions of others: `jmp [slot]`, behind an
// endbr64 where indirect branches are tracked. As long as the loader has not bound it, the slot leads to where its
// number is pushed for the loader.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.hpp"

namespace moult::internal {

/// The slot that the stub at `code` jumps through; nothing where other code lies there.
std::optional<std::uintptr_t> slot_of_stub(CodeAddress code);

/// What `slot` leads to now.
CodeAddress target_in(std::uintptr_t slot) noexcept;

/// Of what a slot leads to, `target`: the mangled name that the loader will look up at the first call, empty where that
/// cannot be told; nothing where the slot is bound. Takes no lock, so it may be asked in a stopped program.
std::optional<std::string_view> unbound_name(CodeAddress target);

}  // namespace moult::internal
