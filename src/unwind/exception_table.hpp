// The table from which a personality routine decides what an exception does in a frame ("LSDA"; Itanium C++ ABI,
// exception handling, 7). It is read here in advance, because a forced unwinding must not end in std::terminate half
// way.
//
// Limits: the table shows that a handler takes every exception, but not whether it rethrows.
#pragma once

#include "base/address.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {

/// What happens to an exception from a call.
enum class CallSite {
  passes,       ///< it goes on to the caller
  cleans_up,    ///< destructors run, then it goes on to the caller
  handles,      ///< a handler takes every exception (`catch (...)`), a forced unwinding too
  forbids,      ///< an exception specification allows none (`throw()`)
  unmentioned,  ///< the C++ routine calls std::terminate: nothing may be thrown here (noexcept)
};

struct CallHandling {
  CallSite site = CallSite::passes;
  CodeAddress landing_pad{};  ///< the code that cleans up or handles; 0: none
};

/// What happens in `frame` to a forced unwinding out of the call at `call`, an address inside the calling instruction.
/// Does not allocate.
CallHandling handling_of_call(const FrameHandling& frame, CodeAddress call) noexcept;

/// Whether the frame's table mentions any call. That of a function that is noexcept as a whole mentions none.
bool mentions_calls(const FrameHandling& frame) noexcept;

}  // namespace moult::internal
