// Slot release: whether a thread has destroyed an object of a pool and not released its slot yet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alterability/quiescence.hpp"
#include "symbols/program.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The code of this process that releases slots.
class SlotRelease final {
 public:
  /// Reads symbols: not in a stopped program. Throws Error (not_found) when moult's own symbols are missing.
  explicit SlotRelease(const Program& program);

  /// The first thread that is releasing a slot, or that releases one by its next call. May also report a thread that
  /// deletes something else. Does not allocate.
  std::optional<ThreadId> find(const StoppedWorld& stopped) const;

 private:
  bool is_inside(const Frame& frame) const noexcept;
  bool leads_there(CodeAddress from) const noexcept;
  bool is_way_there(CodeAddress target) const noexcept;

  CodeRange entry_;
  std::vector<CodeRange> ranges_;
};

}  // namespace moult::internal
