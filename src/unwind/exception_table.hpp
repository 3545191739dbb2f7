// The table by which a personality routine decides what an exception does in a frame ("LSDA"; Itanium C++ ABI,
// exception handling, 7): read here beforehand, for an unwinding that must not end in std::terminate half way.
//
// Limits: the table says that a handler takes everything, not whether the handler throws it on.
#pragma once

#include "base/address.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {

/// What a table says of a call.
enum class CallSite {
  passes,       ///< an exception from this call goes on to the caller
  cleans_up,    ///< and destructors run before it does
  handles,      ///< a handler takes whatever comes (`catch (...)`), a forced unwinding too
  forbids,      ///< an exception specification that allows nothing (`throw()`)
  unmentioned,  ///< to the C++ routine: std::terminate, for nothing may be thrown here (noexcept)
};

struct CallHandling {
  CallSite site = CallSite::passes;
  CodeAddress landing_pad{};  ///< the code that cleans up or handles; 0: none
};

/// What the table of `frame` says of a forced unwinding out of the call at `call`, an address inside of the calling
/// instruction. Does not allocate.
CallHandling handling_of_call(const FrameHandling& frame, CodeAddress call) noexcept;

}  // namespace moult::internal
