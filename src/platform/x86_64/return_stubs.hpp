// Stubs that a function returns through instead of straight to its caller, and which tell that it has returned.
//
// A stub stands for one return address that was taken out of a stack: its slot keeps the true one. The stub puts that
// back where it was, tells, and returns to it, all registers as they were: values are returned in rax, rdx, xmm0, xmm1
// and st0, and a caller may rely on others that it knows its callee to leave alone.
//
// For every unwinder (the language's own, debuggers', moult's) a stub is a frame between the function and its caller:
// its unwind information finds the slot by the stub's address, which still lies on the stack. The frame's CFA is one
// byte above the function's, since GCC's unwinder tells frames apart by that, and the caller's stack pointer is given
// beside it; libunwind takes the CFA for the caller's stack pointer, so where exceptions go by that no stub is used. A
// personality routine learns of exceptions, and of threads that end, on their way past the stub.
//
// Who may do what: a slot is armed and taken back while the program is stopped; its stub, or the personality routine,
// says that the call has returned. `uses` and `true_address` change in a stop only.
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
  returned = 2,  ///< by the stub, which needs its slot no more
  passed = 3,    ///< by the personality routine: the frame is being unwound, which may still ask where it returns to
};

/// The stub's code and unwind information know the first two fields' places.
struct ReturnSlot {
  std::uint64_t true_address = 0;
  std::atomic<ReturnState> state{ReturnState::vacant};
  std::uint32_t uses = 0;    ///< how often it was armed
  std::uint64_t place = 0;   ///< where on the stack its return address lies
  std::uint32_t owners = 0;  ///< who waits for this return
};

ReturnSlot& return_slot(std::uint32_t index) noexcept;
/// The address that goes on the stack for the slot.
CodeAddress return_stub(std::uint32_t index) noexcept;
/// The slot whose stub a return to `address` would reach.
std::optional<std::uint32_t> return_slot_of(CodeAddress address) noexcept;
/// Whether a thread stands in a stub, or on the way from one to the true address.
bool is_in_return_stub(CodeAddress pc) noexcept;

/// How many returns were told of in this process: a futex. It is raised after the slot's state was changed.
std::atomic<std::uint32_t>& told_returns() noexcept;

/// The functions of that unwinder in which it goes through a stack frame by frame.
std::array<CodeAddress, 5> unwinder_functions() noexcept;

/// Whether the unwinder that exceptions of this process go by comes through stubs: that of GCC does. Asks the loader.
bool knows_return_stubs() noexcept;

/// Whether the processor keeps a second copy of return addresses (CET) for this thread, so that a changed one would end
/// the program.
bool has_shadow_stack() noexcept;

}  // namespace moult::internal
