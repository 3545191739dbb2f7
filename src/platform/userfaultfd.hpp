// Pages that are filled at their first touch, by this process itself.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/fd.hpp"

namespace moult::platform {

/// A thread waits until the page that it has touched is filled.
struct MissingPage {
  std::byte* page = nullptr;
  pid_t task = 0;
};

/// Watches ranges of private anonymous memory. Whoever touches a page there that has none waits, in the program and, if
/// serves_kernel(), in a system call. Every function is safe in any thread.
class Userfaultfd final {
 public:
  /// Throws Error (unsupported) when the system has no userfaultfd or does not let this user have one.
  Userfaultfd();

  /// False: a system call that is given the address of a missing page fails with EFAULT.
  bool serves_kernel() const noexcept { return serves_kernel_; }

  /// From now on touching a missing page in the range waits. Whole pages. Throws Error (system).
  void watch(std::byte* begin, std::size_t size);
  /// Pages that are still missing become zeros at their first touch, as everywhere. Who waits goes on.
  void unwatch(std::byte* begin, std::size_t size) noexcept;

  /// Waits for the next touch; nothing when the wait was broken off.
  std::optional<MissingPage> next() noexcept;

  /// Puts copies of the pages at `from` into the range, each in one indivisible step, and lets those go on who wait for
  /// them. Pages that are there stay. Waits for memory if need be. The range is watched: where a page cannot be filled
  /// the process is stopped.
  void fill(std::byte* begin, std::size_t size, const std::byte* from) noexcept {
    fill(begin, size, from, Waiters::woken);
  }
  /// The same, and who waits for the pages waits on until wake.
  void fill_silently(std::byte* begin, std::size_t size, const std::byte* from) noexcept {
    fill(begin, size, from, Waiters::left);
  }
  /// The same with zeros; what is not watched any more is left alone.
  void fill_with_zeros(std::byte* begin, std::size_t size) noexcept;
  /// Lets those go on who wait for a page of the range; they wait anew where it is missing still.
  void wake(std::byte* begin, std::size_t size) noexcept;

 private:
  enum class Waiters { woken, left };
  void fill(std::byte* begin, std::size_t size, const std::byte* from, Waiters waiters) noexcept;

  Fd fd_;
  bool serves_kernel_ = false;
};

}  // namespace moult::platform
