// Gates: calls of a function wait at its entry until the gate is opened, but for those from a thread that is inside one
// of the functions of the same set already.
//
// A gate is an entry jump like any other (patch.hpp), to code of moult's near the function that asks where the call
// goes on: gate.cpp says how it decides. What goes through runs the function as it is in force below the gate.
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

/// One function's. It is made once and stays to the end of the process: a thread may be anywhere on its way through.
struct Gate : GateEntry {
  CodeAddress function{};              ///< its entry, where a call that has waited goes on
  std::atomic<std::uint32_t> word{0};  ///< a futex; odd: closed
  std::atomic<CodeAddress> way{};      ///< where a call that passes goes on
  /// The code of all functions of the set, sorted, not overlapping; changed in a stop only.
  std::span<const CodeRange> inside{};
};

/// Whether a call of the thread with the walked stack is one from inside: a frame is, or a word that may be one.
bool is_from_inside(std::span<const CodeRange> inside, CodeAddress frame) noexcept;

/// Code that goes on doing what the function does now, whatever it is redefined as later: what it is redefined as, or a
/// copy of its first instructions that goes on behind them. It stays for ever. Throws as Gates::prepare.
CodeAddress permanent_entry(const EntryCode& entry);

/// The gates of one update, closed and taken away together.
class Gates final {
 public:
  /// `targets` without their `replacement`. `inside`: the code of the set, as above. Throws Error before anything is
  /// changed: as Patch::prepare does; unsupported_code for a function whose first instructions cannot be executed
  /// elsewhere, or that jumps back to its own entry; still_active when another update keeps calls of one waiting.
  static Gates prepare(std::vector<PatchTarget> targets, std::vector<CodeRange> inside, PatchOptions options);
  Gates(Gates&&) noexcept;
  Gates& operator=(Gates&&) noexcept;
  /// After open, or a close that never was.
  ~Gates();

  /// StopOptions::keep_out for the stop in which they are closed.
  std::span<const CodeRange> keep_out() const noexcept;
  void require_untouched(const StoppedWorld& stopped) const;
  void close(const StoppedWorld& stopped) noexcept;
  /// Lets everybody through who waits, and who comes. At any time, from any thread, also while the program runs.
  void open() noexcept;
  /// Opens them and takes the jumps away. Once. The code pages stay writable from prepare on, so that this cannot fail.
  void take_away(const StoppedWorld& stopped) noexcept;
  /// To be called when the program runs again after take_away.
  void finish() noexcept;

 private:
  class Impl;
  explicit Gates(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult::internal
