// Continues a system call that a signal interrupted, as if nothing had happened.
//
// Why: the kernel restarts most calls by itself after a handler with SA_RESTART. Some it never restarts (epoll_wait,
// poll, nanosleep, sigtimedwait, ...: signal(7)). They return EINTR, which a program that handles no signals does not
// expect.
//
// How: the context of such a call has -EINTR in RAX, and RIP just behind the `syscall` instruction. With RIP set back
// over the instruction and the call's number in RAX, sigreturn executes the call again, because the kernel preserves
// every argument register.
//
// The number: glibc's wrappers load it into EAX at most one instruction before `syscall`, so it can be read from the
// code. For others (the function `syscall`, inline assembly) it comes from /proc, read before the signal was sent. Or
// it is the number of the call that was continued last, because soon after that /proc still shows the handler's own
// wait. Either is used only if program counter, stack pointer and all six arguments are the same now. If the number
// stays unknown, so does EINTR.
//
// Time-outs: calls with an absolute time-out, and those that write the remaining time back (select, pselect, ppoll),
// continue exactly. clock_nanosleep with a place for the remaining time sleeps that time. Relative time-outs of
// epoll_wait, poll, usleep and similar calls begin again, as in a program that answers EINTR by calling again: late,
// never early.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "platform/tasks.hpp"

namespace moult::internal {

inline constexpr std::uint8_t syscall_opcode[2] = {0x0F, 0x05};

/// Whether the context is at or just behind a `syscall` instruction: the thread is, or just was, in the kernel.
bool is_at_syscall(const ucontext_t& context) noexcept;

/// Whether the call reads input that is about to begin or to continue. Only for a context at a `syscall` instruction.
bool is_input_call(const ucontext_t& context) noexcept;

/// The same for a futex: with it a thread waits, or is about to wait, for another one.
bool is_futex_call(const ucontext_t& context) noexcept;

/// Continues the call if it was interrupted. `before` is what /proc said of the thread before the signal. `continued`
/// is the call that was continued last, and is kept up to date. Async-signal-safe. False if EINTR had to stay.
bool continue_interrupted_call(ucontext_t& context, const BlockedCall& before, BlockedCall& continued) noexcept;

}  // namespace moult::internal
