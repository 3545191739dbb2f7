// A system call that a signal broke off goes on as if nothing had happened.
//
// The kernel restarts most calls by itself after a handler with SA_RESTART. Some it never restarts (epoll_wait, poll,
// nanosleep, sigtimedwait, ...: signal(7)): they come back with EINTR, which a program that handles no signals does not
// expect. Their context has -EINTR in RAX and RIP just behind the `syscall` instruction; stepping RIP back over it and
// putting the call's number back into RAX makes sigreturn execute the call again, since the kernel preserves every
// argument register.
//
// The number: glibc's wrappers load it into EAX at most one instruction before `syscall`, so it stands in the code. For
// others (the function `syscall`, inline assembly) it is what /proc said before the signal was sent, or what the call
// was that was made to go on last time (soon after that, /proc still shows the handler's own wait); either is believed
// only if program counter, stack pointer and all six arguments are the same now. If nothing tells, EINTR stays.
//
// Time-outs: calls with an absolute time-out, and those that write the rest of it back (select, pselect, ppoll), go on
// exactly. clock_nanosleep with a place for the rest sleeps the rest. Relative time-outs of epoll_wait, poll, usleep
// and the like begin anew, as they do in a program that answers EINTR by calling again: late, never early.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "platform/tasks.hpp"

namespace moult::internal {

inline constexpr std::uint8_t syscall_opcode[2] = {0x0F, 0x05};

/// True when the context stands at or just behind a `syscall` instruction: the thread is, or just was, in the kernel.
bool is_at_syscall(const ucontext_t& context) noexcept;

/// True when a call that reads input is about to begin or to go on there.
bool is_waiting_for_input(const ucontext_t& context) noexcept;

/// True when a thread waits for another there, or is about to: with a futex.
bool is_at_futex(const ucontext_t& context) noexcept;

/// Makes the call go on if it was broken off. `before` is what /proc said of the thread before the signal; `continued`
/// is the call that was made to go on last time, and is kept up to date. Async-signal-safe. False when EINTR had to
/// stay.
bool continue_interrupted_call(ucontext_t& context, const BlockedCall& before, BlockedCall& continued) noexcept;

}  // namespace moult::internal
