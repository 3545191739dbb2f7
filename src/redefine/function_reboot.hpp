// Calls in progress that are left, with a new function in their place.
#pragma once

#include <vector>

#include "alterability/exits.hpp"
#include "alterability/quiescence.hpp"
#include "moult/reboot.hpp"
#include "redefine/departures.hpp"
#include "symbols/program.hpp"

namespace moult::redefine {

/// Prepared while the program runs, committed in the stop.
class PreparedReboot final {
 public:
  /// Throws Error (not_found) when nothing is known of the function's code.
  static PreparedReboot prepare(ThreadId thread, const FunctionReboot& reboot);

  /// Whether a call of the function is in progress in the thread.
  bool is_in_progress(const threads::StoppedWorld& stopped) const;
  /// See moult::reboot_function.
  void commit(const StoppedStep& step) const;

 private:
  PreparedReboot(ThreadId thread, const FunctionReboot& reboot) : thread_(thread), reboot_(reboot) {}
  alterability::Leavable find(const threads::StoppedWorld& stopped) const;
  std::uint64_t place_for_result(const alterability::Leavable& call) const;

  ThreadId thread_;
  FunctionReboot reboot_;
  std::vector<alterability::FunctionExtent> versions_;
  alterability::ExitCheck check_;
};

}  // namespace moult::redefine
