// Assertions that stay in release builds. A broken invariant of moult stops the process before moult can corrupt it.
#pragma once

namespace moult::internal {

/// Writes the place and the message to standard error without allocating, then aborts. May be called anywhere, also in
/// a signal handler.
[[noreturn]] void check_failed(const char* condition, const char* message, const char* file, int line) noexcept;

}  // namespace moult::internal

#define MOULT_CHECK(condition, message)                                           \
  do {                                                                            \
    if (!(condition)) [[unlikely]]                                                \
      ::moult::internal::check_failed(#condition, (message), __FILE__, __LINE__); \
  } while (false)
