// Entry patches: calls of a function continue in another one.
//
// Prepare may fail and runs beside the program. It decodes the entry, finds room, writes trampolines that no jump
// reaches yet, and makes the code pages writable. Commit cannot fail and runs in a stopped program: it writes bytes.
// The bytes that were there are kept, so that the patch can be reverted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  CodeAddress replacement;             ///< where calls continue
  std::vector<CodeRange> fragments{};  ///< code that the compiler split off: its branches count too
  std::string line{};                  ///< the change, as reports show it: "f redefined as g"
};

enum class PatchKind {
  change,  ///< calls continue in another version
  gate,    ///< calls wait for a while (gate.hpp): no version, and not shown in reports
};

struct PatchOptions {
  /// The modules of the targets and their replacements. From commit on they are held for ever.
  ModuleHold modules{};
  /// The id of the patch's update; 0: none. Ids are in the order in which updates were submitted.
  std::uint64_t update = 0;
  PatchKind kind = PatchKind::change;
};

/// A function's entry, as it was compiled and as it is.
struct EntryCode {
  std::string name;
  CodeAddress function{};
  CodeAddress place{};              ///< where its entry jump is written
  std::size_t overwritten = 0;      ///< the most bytes from `place` on that a jump overwrites
  std::vector<std::uint8_t> bytes;  ///< the compiled bytes from `place` on: those overwritten, and one instruction more
  bool is_loop_head = false;        ///< it jumps back to its own entry
  std::optional<CodeAddress> active{};  ///< the active version, if it is redefined
};
/// The entry code of each of `targets`; `replacement` is ignored. Throws Error as Patch::prepare does.
std::vector<EntryCode> entry_code_of(std::span<const PatchTarget> targets);

struct OriginalWay;
/// The stub of `module`'s way to the original of `function`, for original.cpp. `make_stub` is called if there is none
/// yet, under the registry's lock. Passes on what it throws.
CodeAddress original_way(CodeAddress function, const void* module, CodeAddress compiled,
                         const std::function<CodeAddress(const OriginalWay& way)>& make_stub);

/// Where calls of a function continue.
struct Version {
  CodeAddress function{};  ///< the replacement
  CodeRange way;           ///< the jump slot on the way there, which calls may be inside; empty if there is none
};

/// All replacements of the function at `entry`, and of these replacements in turn, active or not: calls of every one
/// may still be in progress. The function itself is not included.
std::vector<Version> versions_of(CodeAddress entry);

/// True if calls of the function continue elsewhere: in another version, or at a gate.
bool is_redirected(CodeAddress entry);

/// Code as it was before any patch. May be called in a stopped program.
std::vector<std::uint8_t> original_code(CodeRange range);

/// A change that was committed and not reverted.
struct AppliedChange {
  CodeAddress function{};  ///< the old function's entry
  std::uint64_t update = 0;
  std::string line;
  /// The update whose change of the function is active instead; 0 for an untracked change. Nothing if this change is
  /// active.
  std::optional<std::uint64_t> shadowed_by{};
  CodeAddress replacement{};  ///< where calls continue while it is active
};
std::vector<AppliedChange> applied_changes();

/// The redirections of one change, committed together. If several changes redirect the same function, the newest one
/// that is committed and not reverted is active.
class Patch final {
 public:
  /// Throws Error before anything is changed: too_short, unsupported_code, no_room, superseded, system, and
  /// invalid_argument: a function is redefined as itself or as a function that leads back to it, or two targets have
  ///   one entry.
  static Patch prepare(std::span<const PatchTarget> targets, PatchOptions options = {});
  Patch(Patch&&) noexcept;
  Patch& operator=(Patch&&) noexcept;
  /// A committed patch stays applied. A patch that was not committed leaves no trace.
  ~Patch();

  /// The bytes that commit overwrites, sorted: no thread may be strictly inside them (StopOptions::keep_out). For a
  /// function that jumps back to its own entry these are all its bytes, because a call in progress would leave it half
  /// way.
  std::span<const CodeRange> keep_out() const noexcept;
  /// Call it before commit and before revert, in the same stop; prepare calls it too. Throws Error (unsupported_code)
  /// if bytes that moult wrote were overwritten. Writing over them would undo another tool's work, and that tool may
  /// undo moult's in turn.
  void require_untouched(const StoppedWorld&) const;
  void commit(const StoppedWorld&) noexcept;
  /// May be called before revert, to shorten the stop: does the part that may fail. Call finish() afterwards as usual.
  /// Throws Error (system), having changed nothing.
  void prepare_revert();
  /// Reverts this change. Functions that another committed patch redirects too continue there. Without prepare_revert
  /// it makes the code pages writable itself; if the kernel then refuses what it granted to prepare, the process ends.
  void revert(const StoppedWorld&) noexcept;
  /// Makes the functions what they were before this change, until it is called with false. Call it between commit and
  /// the end of its stop, or after prepare_revert. Other changes of the same functions stay as they are.
  void bypass(const StoppedWorld&, bool is_bypassed) noexcept;
  /// Takes the change of one target out of effect, by its number among those given to prepare, for as long as the
  /// update `by` stands in for it; 0 puts it into effect again. Call it between commit and the end of its stop, or
  /// after prepare_revert.
  void supersede(const StoppedWorld&, std::size_t target, std::uint64_t by) noexcept;
  /// Call it when the program runs again: restores the code pages' protection.
  void finish() noexcept;

 private:
  class Impl;
  explicit Patch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult::internal
