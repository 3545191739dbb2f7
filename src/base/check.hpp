// Assertions kept in release: a broken invariant of moult itself stops the process before it can corrupt it.
#pragma once

namespace moult::internal {

/// Writes the place and the message to standard error without allocating, then aborts. Usable anywhere, signal
/// handlers included.
[[noreturn]] void check_failed(const char* condition, const char* message, const char* file, int line) noexcept;

}  // namespace moult::internal

#define MOULT_CHECK(condition, message)                                           \
  do {                                                                            \
    if (!(condition)) [[unlikely]]                                                \
      ::moult::internal::check_failed(#condition, (message), __FILE__, __LINE__); \
  } while (false)
