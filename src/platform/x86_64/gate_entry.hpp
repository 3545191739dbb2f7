// The way from a function's entry through a gate: a function of moult's is asked where the call shall go on, with every
// register that carries an argument as it was.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/address.hpp"

namespace moult::internal {

/// What a gate's stub leads to. The assembly knows the first field.
struct GateEntry {
  /// Says where this call goes on. It may wait, and what ends the thread may be thrown through it.
  CodeAddress (*decide)(GateEntry& gate) = nullptr;
};

/// The code at a gate: it loads the gate's address into r11, which no call carries anything in, and jumps.
struct [[gnu::packed]] GateStub {
  std::uint16_t load = 0xBB49;  ///< movabs gate, %r11
  std::uint64_t gate = 0;
  std::uint16_t jump = 0x25FF;  ///< jmp *target(%rip)
  std::int32_t displacement = 0;
  std::uint64_t target = 0;
};
static_assert(sizeof(GateStub) == 24 && offsetof(GateStub, target) == 16, "the jump goes through what lies behind it");

/// For `gate`, which stays where it is.
GateStub stub_for(GateEntry& gate) noexcept;

/// Whether the processor and the system keep the vector registers in a form that is known here.
bool can_keep_arguments() noexcept;

}  // namespace moult::internal
