// Pages that are filled at their first touch, by this process itself.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/fd.hpp"

namespace moult::internal {

/// A thread waits until the page that it has touched is filled.
struct MissingPage {
  std::byte* page = nullptr;
  pid_t task = 0;
};

/// Watches ranges of private anonymous memory. Whoever touches a page there that has none waits, in the program and, if
/// serves_kernel(), in a system call. Every function is safe in any thread.
class Userfaultfd final {
 public:
  /// Whether pages are moved into place by the kernel. Copied they are where it cannot (before Linux 6.8).
  enum class Moves { where_possible, never };

  /// Throws Error (unsupported) when the system has no userfaultfd or does not let this user have one.
  explicit Userfaultfd(Moves moves = Moves::where_possible);

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
  /// The same as fill and fill_silently, for less, and what was one piece of memory stays one: the pages at `from` are
  /// used up, and what is there afterwards is not said.
  void move(std::byte* begin, std::size_t size, std::byte* from) noexcept { move(begin, size, from, Waiters::woken); }
  void move_silently(std::byte* begin, std::size_t size, std::byte* from) noexcept {
    move(begin, size, from, Waiters::left);
  }
  /// The same with zeros; what is not watched any more is left alone.
  void fill_with_zeros(std::byte* begin, std::size_t size) noexcept;
  /// Lets those go on who wait for a page of the range; they wait anew where it is missing still.
  void wake(std::byte* begin, std::size_t size) noexcept;

 private:
  enum class Waiters { woken, left };
  void open();
  /// Whether the kernel agrees.
  bool agree_on(std::uint64_t features) noexcept;
  void fill(std::byte* begin, std::size_t size, const std::byte* from, Waiters waiters) noexcept;
  void move(std::byte* begin, std::size_t size, std::byte* from, Waiters waiters) noexcept;
  std::size_t move_some(std::byte* begin, std::size_t size, std::byte* from, Waiters waiters) noexcept;

  Fd fd_;
  bool serves_kernel_ = false;
  bool moves_ = false;
};

}  // namespace moult::internal
