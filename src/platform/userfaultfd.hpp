// Page faults that this process resolves itself: it fills a page when it is first accessed.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/fd.hpp"

namespace moult::internal {

/// A page fault: the thread `task` waits until `page` is filled.
struct MissingPage {
  std::byte* page = nullptr;
  pid_t task = 0;
};

/// Watches ranges of private anonymous memory. A thread that accesses a missing page there waits: in the program and,
/// if serves_kernel(), in a system call. Every function may be called in any thread.
class Userfaultfd final {
 public:
  /// Whether the kernel moves pages into place. If it cannot (before Linux 6.8), pages are copied.
  enum class Moves { where_possible, never };

  /// Throws Error (unsupported) if the system has no userfaultfd or does not grant this user one.
  explicit Userfaultfd(Moves moves = Moves::where_possible);

  /// False: a system call with the address of a missing page fails with EFAULT.
  bool serves_kernel() const noexcept { return serves_kernel_; }

  /// Whether the program has closed the descriptor. Memory stays watched while a thread is inside next().
  bool is_lost() const noexcept { return !fd_.is_ours(); }

  /// From now on an access to a missing page of the range waits. Whole pages. Throws Error (system).
  void watch(std::byte* begin, std::size_t size);
  /// Waiting threads continue, and missing pages become zeros at their first access, as everywhere. Ends the process if
  /// is_lost(): the memory would stay watched, and its next fault would never be resolved.
  void unwatch(std::byte* begin, std::size_t size) noexcept;

  /// Waits for the next page fault. Nothing if the wait was interrupted, and at once if is_lost().
  std::optional<MissingPage> next() noexcept;

  /// Puts copies of the pages at `from` into the range, each page atomically, and wakes the threads that wait for them.
  /// Pages that are present stay. Waits for memory if necessary. The range must be watched; if a page cannot be filled,
  /// the process is stopped.
  void fill(std::byte* begin, std::size_t size, const std::byte* from) noexcept {
    fill(begin, size, from, Waiters::woken);
  }
  /// The same, but waiting threads wait until wake.
  void fill_silently(std::byte* begin, std::size_t size, const std::byte* from) noexcept {
    fill(begin, size, from, Waiters::left);
  }
  /// Like fill and fill_silently, but cheaper, and one mapping stays one mapping. The pages at `from` are consumed;
  /// their content is undefined afterwards.
  void move(std::byte* begin, std::size_t size, std::byte* from) noexcept { move(begin, size, from, Waiters::woken); }
  void move_silently(std::byte* begin, std::size_t size, std::byte* from) noexcept {
    move(begin, size, from, Waiters::left);
  }
  /// The same with zeros. Memory that is not watched any more is left alone.
  void fill_with_zeros(std::byte* begin, std::size_t size) noexcept;
  /// Wakes the threads that wait for a page of the range. A thread whose page is still missing waits again.
  void wake(std::byte* begin, std::size_t size) noexcept;

 private:
  enum class Waiters { woken, left };
  void open();
  int call(unsigned long request, void* order) noexcept;
  /// Whether the kernel supports `features`.
  bool agree_on(std::uint64_t features) noexcept;
  void fill(std::byte* begin, std::size_t size, const std::byte* from, Waiters waiters) noexcept;
  void move(std::byte* begin, std::size_t size, std::byte* from, Waiters waiters) noexcept;
  std::size_t move_some(std::byte* begin, std::size_t size, std::byte* from, Waiters waiters) noexcept;

  Fd fd_;
  bool serves_kernel_ = false;
  bool moves_ = false;
};

}  // namespace moult::internal
