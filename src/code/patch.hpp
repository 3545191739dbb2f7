// Entry patches: calls of a function go on in another one.
//
// Prepare may fail and runs beside the program: decode the entry, find room, write trampolines nobody reaches yet, make
// the code pages writable. Commit cannot fail and runs in a stopped program: it writes bytes. The bytes that were there
// are kept, so that the patch can be taken back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "code/module_hold.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

struct PatchTarget {
  std::string name;                    ///< for messages
  CodeRange range;                     ///< the function's own bytes
  CodeAddress replacement;             ///< where calls shall go on
  std::vector<CodeRange> fragments{};  ///< what the compiler split off: its branches count too
  std::string line{};                  ///< the change as it is told: "f redefined as g"
};

enum class PatchKind {
  change,  ///< calls go on in another version
  gate,    ///< calls are held up for a while (gate.hpp): no version, and told to nobody
};

struct PatchOptions {
  /// Those that the targets and their replacements are in; held for ever from commit on.
  ModuleHold modules{};
  /// The id of the update that the patch belongs to; 0: none. The order of ids is that in which updates were handed in.
  std::uint64_t update = 0;
  PatchKind kind = PatchKind::change;
};

/// A function's entry, as it was compiled and as it is.
struct EntryCode {
  std::string name;
  CodeAddress function{};
  CodeAddress place{};                  ///< where its entry jump goes
  std::size_t overwritten = 0;          ///< bytes from there on, at most
  std::vector<std::uint8_t> bytes;      ///< the compiled ones from there on: those overwritten, and an instruction more
  bool is_loop_head = false;            ///< it jumps back to its own entry
  std::optional<CodeAddress> active{};  ///< what it is redefined as now
};
/// Of each of `targets`, whose `replacement` is not looked at. Throws Error as Patch::prepare does.
std::vector<EntryCode> entry_code_of(std::span<const PatchTarget> targets);

/// Where calls of a function go on.
struct Version {
  CodeAddress function{};  ///< the replacement one
  CodeRange way;           ///< a jump slot on the way there, where calls may be; empty when there is none
};

/// What committed changes made of the function at `entry`, and of those functions in turn: calls of every one of them
/// may still be in progress, whichever is in force now. Without the function itself.
std::vector<Version> versions_of(CodeAddress entry);

/// Code as it was before any patch. In a stopped program too.
std::vector<std::uint8_t> original_code(CodeRange range);

/// A change that was committed and not reverted.
struct AppliedChange {
  CodeAddress function{};  ///< the old one's entry
  std::uint64_t update = 0;
  std::string line;
  /// The update that decides instead, or 0 for a change outside of any; nothing where this change is in force.
  std::optional<std::uint64_t> shadowed_by{};
  CodeAddress replacement{};  ///< where calls go on while it decides
};
std::vector<AppliedChange> applied_changes();

/// The redirections of one change, committed together. Several changes may redirect the same function: the newest
/// committed one that was not reverted decides.
class Patch final {
 public:
  /// Throws Error before anything is changed: too_short, unsupported_code, no_room, invalid_argument (a function onto
  /// itself, or onto one that is redefined as it; two targets with one entry), superseded, system.
  static Patch prepare(std::span<const PatchTarget> targets, PatchOptions options = {});
  Patch(Patch&&) noexcept;
  Patch& operator=(Patch&&) noexcept;
  /// A patch that was committed stays in force; one that was not leaves no trace.
  ~Patch();

  /// The bytes that commit overwrites: no thread may be strictly inside them (StopOptions::keep_out). For a function
  /// that jumps back to its own entry these are all its bytes: a call in progress would leave it half way. Sorted.
  std::span<const CodeRange> keep_out() const noexcept;
  /// Before commit and before revert, in the same stop; prepare asks it too. Throws Error (unsupported_code) when what
  /// moult has left there was overwritten: to write over it would undo another's work, who may undo this in turn.
  void require_untouched(const StoppedWorld&) const;
  void commit(const StoppedWorld&) noexcept;
  /// May be called before revert: does there what may fail, so that the stop is shorter. After it, finish() as ever.
  /// Throws Error (system), having changed nothing.
  void prepare_revert();
  /// Takes this change back; functions that another committed patch redirects too go on there. Without prepare_revert
  /// it makes the code pages writable itself, and a kernel that refuses what it granted to prepare ends the process.
  void revert(const StoppedWorld&) noexcept;
  /// Between commit and the end of its stop, or after prepare_revert: has the functions be what they were before this
  /// change, until it is called with false. Other changes of the same functions stay as they are.
  void bypass(const StoppedWorld&, bool is_bypassed) noexcept;
  /// To be called after the program runs again: gives the code pages their protection back.
  void finish() noexcept;

 private:
  class Impl;
  explicit Patch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult::internal
