// Gates: calls of a function wait at its entry until the gate is opened. Calls by a thread that is inside a function of
// the same set pass.
//
// A gate is an entry jump like any other (patch.hpp). It leads to moult's code near the function, which asks where the
// call continues; gate.cpp says how that is decided. A call that passes reaches the function's active version.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/address.hpp"
#include "code/patch.hpp"
#include "platform/x86_64/gate_entry.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// One function's gate. It is made once and stays to the end of the process: a thread may be anywhere on its way
/// through.
struct Gate : GateEntry {
  CodeAddress function{};              ///< the function's entry, where a call that has waited continues
  std::atomic<std::uint32_t> word{0};  ///< a futex; odd: closed
  CodeAddress way{};                   ///< where a call that passes continues; changed only in a stop
  /// The code of all functions of the set, sorted and without overlaps. Changed only in a stop.
  std::span<const CodeRange> inside{};
};

/// Whether `frame` of a walked stack makes a call one from inside.
bool is_from_inside(std::span<const CodeRange> inside, CodeAddress frame) noexcept;

/// The gates of one update, closed and removed together.
class Gates final {
 public:
  /// `targets` come without their `replacement`. `inside` is the code of the set, as above. Throws Error before
  /// anything is changed, as Patch::prepare does, and:
  /// unsupported_code: a function's first instructions cannot be executed elsewhere, or it jumps back to its own entry;
  /// still_active: another update keeps calls of a function waiting.
  static Gates prepare(std::vector<PatchTarget> targets, std::vector<CodeRange> inside, PatchOptions options);
  Gates(Gates&&) noexcept;
  Gates& operator=(Gates&&) noexcept;
  /// The gates are open: open was called, or close never was.
  ~Gates();

  /// For StopOptions::keep_out of the stop in which the gates are closed.
  std::span<const CodeRange> keep_out() const noexcept;
  void require_untouched(const StoppedWorld& stopped) const;
  void close(const StoppedWorld& stopped) noexcept;
  /// Lets all waiting and all later calls through. At any time, from any thread, also while the program runs.
  void open() noexcept;
  /// Opens the gates and removes the jumps, once. The code pages are writable from prepare on, so this cannot fail.
  void take_away(const StoppedWorld& stopped) noexcept;
  /// Call it when the program runs again after take_away.
  void finish() noexcept;

 private:
  class Impl;
  explicit Gates(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult::internal
