// How far work is that takes long while the program stands still and nobody in it can be asked.
//
// It is written to a board: one page that other processes may look at, if somebody has hung one up (control/). One
// piece of work at a time is on it, that of whoever has the program stopped.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace moult::internal {

/// As it lies in memory, and in the file that others read.
struct ProgressBoard {
  static constexpr std::uint64_t right_magic = 0x6d6f756c74707231;  // "moultpr1"

  std::uint64_t magic = right_magic;
  std::atomic<std::uint64_t> number{0};  ///< of pieces of work begun and ended: odd while one is going on
  std::atomic<std::uint64_t> total{0};   ///< steps
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> steps_each{1};  ///< that one object takes
  std::array<char, 216> what{};              ///< "app::Data to DataTwo", cut if need be; ends with a zero
};
static_assert(sizeof(ProgressBoard) == 256);

/// From now on work is shown there; on a board of moult's own, which nobody sees, after null. While no work is going
/// on: nobody has the program stopped.
void hang_up_progress_board(ProgressBoard* board) noexcept;

/// A piece of work for the scope's life. Only in a stopped program.
class ProgressScope final {
 public:
  ProgressScope(std::string_view what, std::uint64_t objects, std::uint64_t steps_each) noexcept;
  ~ProgressScope();
  ProgressScope(const ProgressScope&) = delete;
  ProgressScope& operator=(const ProgressScope&) = delete;

  /// In any thread that takes part.
  void add(std::uint64_t steps) noexcept { board_.done.fetch_add(steps, std::memory_order_relaxed); }

 private:
  ProgressBoard& board_;
};

}  // namespace moult::internal
