// A stack with what each of its frames holds in registers, and where these are kept while calls further in go on.
//
// The plain walk (unwinder.hpp) only finds the callers. Here each register of each frame is followed: it is in the
// stopped thread's context, or some frame further in has stored it, or it is lost, as those that a call may overwrite
// are. So a variable in a register can be read in any frame, and changed where it will be loaded from.
//
// The walk runs in a stopped program. It allocates nothing and takes no lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "platform/x86_64/context.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// Where a register of a frame is.
struct RegisterPlace {
  enum class Kind : std::uint8_t {
    lost,      ///< a call may have overwritten it
    context,   ///< in the stopped thread's context, which may be changed
    stored,    ///< in memory at `address`: whoever saved it loads it from there again
    computed,  ///< it is nowhere by itself, or must not be changed
  };
  Kind kind = Kind::lost;
  std::uint64_t address = 0;
};

struct FrameState {
  Frame frame;
  Registers registers{};  ///< those that are not lost
  std::array<RegisterPlace, internal::register_count> places{};
  std::uint64_t cfa = 0;  ///< the canonical frame address; 0 when there is no unwind information
  /// What the CFA is counted from at this place of the code.
  std::uint8_t cfa_register = 0;
  bool has_plain_cfa = false;  ///< a register and an offset, not an expression
  std::int32_t cfa_offset = 0;

  bool holds(std::size_t number) const noexcept { return places[number].kind != RegisterPlace::Kind::lost; }
};

enum class WalkEnd {
  outermost,  ///< all frames were visited
  lost,       ///< the last one visited has no unwind information: there may be more
  stopped,    ///< the visitor wanted no more
};

/// Calls `visit(state)` from the innermost frame outwards until it returns false. `lost` for a thread that is not
/// stopped.
WalkEnd walk_frames(const StoppedWorld& stopped, ThreadId thread, const std::function<bool(const FrameState&)>& visit);
/// The same of the calling thread, from this function's own frame on; walk_frames does it for that thread. What it says
/// of the places of registers is not good for changing them: this function's frame, which holds some, goes away.
WalkEnd walk_own_frames(const std::function<bool(const FrameState&)>& visit);

/// One thread's frames and what is on its stack, to be looked into when the program runs again.
class StackCopy final {
 public:
  /// Allocates: a stop is granted where that may be done.
  static StackCopy of(const StoppedWorld& stopped, ThreadId thread, std::size_t most_frames);

  ThreadId thread() const noexcept { return thread_; }
  const std::vector<FrameState>& frames() const noexcept { return frames_; }
  /// True when all frames are there.
  bool is_whole() const noexcept { return is_whole_; }
  /// The vector registers xmm0 to xmm15 of the innermost frame, 16 bytes each; none for the calling thread.
  std::span<const std::uint64_t> vectors() const noexcept { return vectors_; }
  /// What was at `address`; false when it is not on the part of the stack that was copied.
  bool read(std::uintptr_t address, std::span<std::byte> to) const noexcept;

 private:
  ThreadId thread_{};
  std::vector<FrameState> frames_;
  bool is_whole_ = false;
  std::vector<std::uint64_t> vectors_;
  std::uintptr_t begin_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace moult::internal
