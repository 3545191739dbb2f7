// Futexes: waiting for a word of memory to change.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>

#include "platform/x86_64/syscall.hpp"

namespace moult::internal {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free,
              "a futex is a plain 32-bit word");

/// Sleeps while `word` holds `expected`, until a wake with a bit of `bits`. It may wake without a reason.
/// Async-signal-safe.
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::uint32_t bits = FUTEX_BITSET_MATCH_ANY) noexcept {
  raw_syscall(SYS_futex, as_argument(&word), FUTEX_WAIT_BITSET_PRIVATE, static_cast<long>(expected), 0, 0,
              static_cast<long>(bits));
}

/// Sleeps while `word` holds `expected`, for at most `timeout`. It may wake without a reason.
inline void futex_wait_for(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                           std::chrono::nanoseconds timeout) noexcept {
  if (timeout.count() <= 0) return;
  timespec relative{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
  raw_syscall(SYS_futex, as_argument(&word), FUTEX_WAIT_PRIVATE, static_cast<long>(expected), as_argument(&relative));
}

/// Wakes all threads that wait with one of `bits`.
inline void futex_wake_all(const std::atomic<std::uint32_t>& word,
                           std::uint32_t bits = FUTEX_BITSET_MATCH_ANY) noexcept {
  raw_syscall(SYS_futex, as_argument(&word), FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, 0, 0, static_cast<long>(bits));
}

}  // namespace moult::internal
