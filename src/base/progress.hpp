// Progress of long work while the program is stopped and cannot be asked.
//
// The stopping thread writes it to a board: one page of memory that other processes may read, if one was installed
// (control/). A board shows one operation at a time, that of the thread that has stopped the program.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace moult::internal {

/// The layout in memory, and in the file that other processes read.
struct ProgressBoard {
  static constexpr std::uint64_t right_magic = 0x6d6f756c74707231;  // "moultpr1"

  std::uint64_t magic = right_magic;
  std::atomic<std::uint64_t> number{0};  ///< operations begun and ended: odd during an operation
  std::atomic<std::uint64_t> total{0};   ///< steps
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> steps_each{1};  ///< steps for one object
  std::array<char, 216> what{};              ///< "app::Data to DataTwo", cut if too long; ends with a zero
};
static_assert(sizeof(ProgressBoard) == 256);

/// From now on work is shown on `board`; after null, on a hidden board of moult's own. Call it only while no operation
/// is in progress, that is, while no thread has the program stopped.
void hang_up_progress_board(ProgressBoard* board) noexcept;

/// One operation, for the scope's lifetime. Only in a stopped program.
class ProgressScope final {
 public:
  ProgressScope(std::string_view what, std::uint64_t objects, std::uint64_t steps_each) noexcept;
  ~ProgressScope();
  ProgressScope(const ProgressScope&) = delete;
  ProgressScope& operator=(const ProgressScope&) = delete;

  /// May be called in every thread that takes part.
  void add(std::uint64_t steps) noexcept { board_.done.fetch_add(steps, std::memory_order_relaxed); }

 private:
  ProgressBoard& board_;
};

}  // namespace moult::internal
