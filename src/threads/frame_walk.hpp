// A stack with the registers of each frame, and where these are kept while inner calls are in progress.
//
// The plain walk (unwinder.hpp) only finds the callers. Here each register of each frame is followed. It is in the
// stopped thread's context, or an inner frame has stored it, or it is lost, like those that a call may overwrite. So a
// variable in a register can be read in any frame, and changed where it will be loaded from.
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

/// Where a register of a frame is kept.
struct RegisterPlace {
  enum class Kind : std::uint8_t {
    lost,      ///< a call may have overwritten it
    context,   ///< in the stopped thread's context, which may be changed
    stored,    ///< in memory at `address`: the function that saved it loads it from there again
    computed,  ///< it is not stored by itself, or must not be changed
  };
  Kind kind = Kind::lost;
  std::uint64_t address = 0;
};

struct FrameState {
  Frame frame;
  Registers registers{};  ///< the registers that are not lost
  std::array<RegisterPlace, internal::register_count> places{};
  std::uint64_t cfa = 0;  ///< the canonical frame address; 0 without unwind information
  /// The register from which the CFA is computed at this place of the code.
  std::uint8_t cfa_register = 0;
  bool has_plain_cfa = false;  ///< a register and an offset, not an expression
  std::int32_t cfa_offset = 0;

  bool holds(std::size_t number) const noexcept { return places[number].kind != RegisterPlace::Kind::lost; }
};

enum class WalkEnd {
  outermost,  ///< all frames were visited
  lost,       ///< the last visited frame has no unwind information: there may be more
  stopped,    ///< the visitor returned false
};

/// Calls `visit(state)` from the innermost frame outwards until it returns false. Returns `lost` for a thread that is
/// not stopped.
WalkEnd walk_frames(const StoppedWorld& stopped, ThreadId thread, const std::function<bool(const FrameState&)>& visit);
/// The same for the calling thread, from this function's own frame on; walk_frames uses it for that thread. The places
/// of registers must not be used for changes: this function's frame, which holds some of them, goes away.
WalkEnd walk_own_frames(const std::function<bool(const FrameState&)>& visit);

/// A copy of one thread's frames and stack, for use when the program runs again.
class StackCopy final {
 public:
  /// Allocates, which a stopped program allows.
  static StackCopy of(const StoppedWorld& stopped, ThreadId thread, std::size_t most_frames);

  ThreadId thread() const noexcept { return thread_; }
  const std::vector<FrameState>& frames() const noexcept { return frames_; }
  /// True if all frames are there.
  bool is_whole() const noexcept { return is_whole_; }
  /// The vector registers xmm0 to xmm15 of the innermost frame, 16 bytes each; none for the calling thread.
  std::span<const std::uint64_t> vectors() const noexcept { return vectors_; }
  /// Copies the bytes that were at `address`. False if they are not on the copied part of the stack.
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
