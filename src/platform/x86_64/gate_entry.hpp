// The path from a function's entry through a gate. It calls a function of moult's that decides where the call
// continues, and preserves every register that carries an argument.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/address.hpp"

namespace moult::internal {

/// The object behind a gate's stub. The assembly knows the first field.
struct GateEntry {
  /// Decides where this call continues, and returns the place of that address. The call reads it by its very last
  /// instruction: a thread that is stopped before that goes where the place leads afterwards. It may wait, and an
  /// exception that ends the thread may pass through it.
  const CodeAddress* (*decide)(GateEntry& gate) = nullptr;
};

/// The code at a gate: it loads the gate's address into r11, in which no call passes anything, and jumps.
struct [[gnu::packed]] GateStub {
  std::uint16_t load = 0xBB49;  ///< movabs gate, %r11
  std::uint64_t gate = 0;
  std::uint16_t jump = 0x25FF;  ///< jmp *target(%rip)
  std::int32_t displacement = 0;
  std::uint64_t target = 0;
};
static_assert(sizeof(GateStub) == 24 && offsetof(GateStub, target) == 16, "the jump goes through what lies behind it");

/// Makes the stub for `gate`, whose address must not change.
GateStub stub_for(GateEntry& gate) noexcept;

/// Whether the processor and the system save the vector registers in a known form.
bool can_keep_arguments() noexcept;

}  // namespace moult::internal
