// The unwind check: whether a call in progress may be left from outside. It inspects every frame on the way in the
// stopped program, since an unwinding that has begun can be neither undone nor refused.
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
  bool may_be_handled = false;  ///< a handler for everything is on the way, or in the call
};

class UnwindCheck final {
 public:
  /// Reads symbols, so while the program runs.
  static UnwindCheck prepare();

  /// The innermost call in progress in `thread` with `is_wanted(frame)`; nothing when there is none. The thread stays
  /// at a static update point. The calls that keep it there return before it leaves, and do not count.
  ///
  /// Throws Error (unsupported), naming the function and its place, if one of these is on the way: a noexcept function,
  /// which would end the process; a signal handler; code without unwind information; code of a language other than C++
  /// and C. Functions without an exception table pass: they have nothing to clean up, or were compiled without
  /// exceptions.
  std::optional<Leavable> find(const StoppedWorld& stopped, ThreadId thread,
                               const std::function<bool(const FrameState&)>& is_wanted) const;

 private:
  bool reaches_terminate(CodeAddress begin) const;
  bool ends_the_process(const CallHandling& handling) const;
  /// Why a call in the frame must not be unwound; empty: it may be.
  std::string obstacle(const FrameState& state, bool& may_be_handled) const;

  FunctionExtent point_;                   ///< the function in which a thread stays at a static update point
  std::vector<CodeAddress> cpp_routines_;  ///< __gxx_personality_v0; each module may have its own
  std::vector<CodeAddress> c_routines_;    ///< __gcc_personality_v0
  std::vector<CodeAddress> terminators_;   ///< clang's function for calls that must not throw
  std::vector<CodeAddress> resumers_;      ///< _Unwind_Resume, which does not return
};

}  // namespace moult::internal
