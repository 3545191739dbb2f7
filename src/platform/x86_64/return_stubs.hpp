// Return stubs: a function returns through a stub instead of straight to its caller, and the stub reports the return.
//
// A stub replaces one return address on a stack; its slot keeps the true one. The stub puts the true address back,
// reports and returns to it with all registers as they were. Values are returned in rax, rdx, xmm0, xmm1 and st0, and a
// caller may rely on other registers that its callee is known to preserve.
//
// For every unwinder (the language's own, debuggers', moult's) a stub is a frame between the function and its caller.
// Its unwind information finds the slot by the stub's address, which is still on the stack. The frame's CFA is one byte
// above the function's, because GCC's unwinder tells frames apart by the CFA, and the caller's stack pointer is given
// separately. libunwind takes the CFA for the caller's stack pointer, so no stub is used if exceptions use libunwind. A
// personality routine reports exceptions, and threads that end, as they pass the stub.
//
// A slot is armed and disarmed while the program is stopped. Its stub, or the personality routine, notes that the call
// has returned. `uses` and `true_address` change in a stop only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/address.hpp"

namespace moult::internal {

inline constexpr std::uint32_t return_stub_count = 4096;

enum class ReturnState : std::uint32_t {
  vacant = 0,    ///< by the stopper
  armed = 1,     ///< by the stopper: a return address leads to the stub
  returned = 2,  ///< by the stub, which does not need its slot any more
  passed = 3,    ///< by the personality routine: the frame is being unwound and its return address may still be read
};

/// The stub's code and unwind information know the places of the first two fields.
struct ReturnSlot {
  std::uint64_t true_address = 0;
  std::atomic<ReturnState> state{ReturnState::vacant};
  std::uint32_t uses = 0;    ///< how often it was armed
  std::uint64_t place = 0;   ///< where its return address is on the stack
  std::uint32_t owners = 0;  ///< the number of those that wait for this return
};

ReturnSlot& return_slot(std::uint32_t index) noexcept;
/// The address to put on the stack for the slot.
CodeAddress return_stub(std::uint32_t index) noexcept;
/// The slot whose stub a return to `address` would reach.
std::optional<std::uint32_t> return_slot_of(CodeAddress address) noexcept;
/// Whether `pc` is in a stub, or on the way from one to the true address.
bool is_in_return_stub(CodeAddress pc) noexcept;

/// The number of returns reported in this process: a futex. It is raised after the slot's state was changed.
std::atomic<std::uint32_t>& told_returns() noexcept;

/// The functions of GCC's unwinder that walk a stack frame by frame.
std::array<CodeAddress, 5> unwinder_functions() noexcept;

/// Whether the unwinder of this process's exceptions can pass stubs; GCC's can. Calls the loader.
bool knows_return_stubs() noexcept;

/// Whether the processor keeps a second copy of return addresses (CET) for this thread. A changed address would end the
/// program then.
bool has_shadow_stack() noexcept;

}  // namespace moult::internal
