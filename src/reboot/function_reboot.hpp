// Calls in progress that are left, and finished by a new function.
#pragma once

#include <memory>
#include <vector>

#include "alterability/quiescence.hpp"
#include "moult/reboot.hpp"
#include "reboot/pending_exits.hpp"
#include "reboot/unwind_check.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// Prepared while the program runs, committed in the stop.
class PreparedReboot final {
 public:
  /// Throws Error (not_found) when the function's code is unknown.
  static PreparedReboot prepare(ThreadId thread, const FunctionReboot& reboot);

  /// True when a call of the function is in progress in the thread.
  bool is_in_progress(const StoppedWorld& stopped) const;
  /// See moult::reboot_function.
  void commit(const StoppedStep& step) const;

 private:
  PreparedReboot(ThreadId thread, const FunctionReboot& reboot) : thread_(thread), reboot_(reboot) {}
  Leavable find(const StoppedWorld& stopped) const;
  std::uint64_t place_for_result(const Leavable& call) const;

  ThreadId thread_;
  FunctionReboot reboot_;
  std::shared_ptr<const Program> program_;  ///< with the debug information that commit needs, read beforehand
  std::vector<FunctionExtent> versions_;
  UnwindCheck check_;
};

}  // namespace moult::internal
