// May a call in progress be left from outside? What unwinding it would come by is looked at before, in the stopped
// program: once it has begun it can neither be taken back nor refused.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alterability/quiescence.hpp"
#include "base/address.hpp"
#include "threads/frame_walk.hpp"
#include "threads/stopped_world.hpp"
#include "unwind/exception_table.hpp"

namespace moult::internal {

/// A call in progress that may be left.
struct Leavable {
  FrameState frame;             ///< of the call
  bool may_be_handled = false;  ///< a handler for everything is on the way to it, or in it
};

class UnwindCheck final {
 public:
  /// Reads symbols: while the program runs.
  static UnwindCheck prepare();

  /// The innermost call in progress in `thread`, which stays at a static update point, for which `is_wanted(frame)`
  /// holds; nothing when there is none. The calls that keep it there have returned when it leaves, and do not count.
  ///
  /// Throws Error (unsupported), naming the function and its place, when unwinding the thread out of that call would
  /// come by one that is noexcept, so that the process would be ended; by a signal handler; by code without unwind
  /// information, or by that of a language other than C++ and C. Functions without an exception table pass: there is
  /// nothing to be cleaned up in them, or they were compiled without exceptions.
  std::optional<Leavable> find(const StoppedWorld& stopped, ThreadId thread,
                               const std::function<bool(const FrameState&)>& is_wanted) const;

 private:
  bool reaches_terminate(CodeAddress begin) const;
  bool ends_the_process(const CallHandling& handling) const;
  /// Why a call in the frame must not be unwound; empty: it may be.
  std::string obstacle(const FrameState& state, bool& may_be_handled) const;

  FunctionExtent point_;                   ///< what a thread stays at a static update point in
  std::vector<CodeAddress> cpp_routines_;  ///< __gxx_personality_v0; each module may have its own
  std::vector<CodeAddress> c_routines_;    ///< __gcc_personality_v0
  std::vector<CodeAddress> terminators_;   ///< what clang calls where nothing may be thrown
  std::vector<CodeAddress> resumers_;      ///< _Unwind_Resume, which does not return
};

}  // namespace moult::internal
