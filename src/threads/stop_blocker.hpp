// The stop blocker: the thread, or other reason, that kept a stop from succeeding.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <string>

#include "base/address.hpp"
#include "platform/stop_signal.hpp"
#include "threads/safepoint.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {

/// Filled in while threads are stopped, so `blame` does not allocate. The last call counts.
class StopBlocker final {
 public:
  /// `what` follows the thread's name: "blocks the signal that stops threads".
  void blame(pid_t task, const char* what) noexcept;
  /// Blames a thread that did not get a processor. Any other reason says more and stays.
  void blame_late(pid_t task) noexcept;
  /// Blames a thread that is stopped where it may not stay, with its calls.
  void blame(const StopSlot& slot, const UnsafeStop& unsafe, RowCache& rows) noexcept;
  /// Blames no thread, but `what`.
  void blame_something(const char* what) noexcept { what_ = what; }
  /// The guard's name of a static variable that is being initialised; null: none.
  void blame_guard(const char* guard) noexcept { guard_ = guard; }

  bool is_known() const noexcept { return task_ != 0 || what_ != nullptr || guard_ != nullptr; }
  bool is_only_late() const noexcept { return is_only_late_; }

  /// Reads symbols, so it must not be called in a stopped program.
  std::string explain() const;

 private:
  pid_t task_ = 0;
  const char* what_ = nullptr;
  const char* guard_ = nullptr;
  std::array<CodeAddress, 16> frames_{};
  std::size_t frame_count_ = 0;
  bool is_only_late_ = false;
};

}  // namespace moult::internal
