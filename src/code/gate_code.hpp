// The code at a gate: near the function, in memory of its own, written once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.hpp"
#include "code/gate.hpp"
#include "code/patch.hpp"

namespace moult::internal {

struct GatedFunction {
  Gate gate;
  std::vector<std::uint8_t> original;  ///< the function's first bytes, as compiled
  CodeAddress stub{};                  ///< where its entry jumps to
  CodeAddress room{};                  ///< for the copy of its first instructions
  CodeAddress copy{};                  ///< 0: none was needed yet
};

/// Throws Error: no_room, system.
std::unique_ptr<GatedFunction> make_gated_function(const EntryCode& entry, CodeAddress (*decide)(GateEntry&));

/// Its first instructions, executable: made when it is first asked for. Throws Error: unsupported_code, no_room,
/// system.
CodeAddress copy_of(GatedFunction& function, const EntryCode& entry);

}  // namespace moult::internal
