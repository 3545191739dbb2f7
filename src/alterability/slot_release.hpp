// Whether a thread has destroyed an object of a pool and not given its slot back yet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alterability/quiescence.hpp"
#include "symbols/program.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// What gives slots back, as this process has it.
class SlotRelease final {
 public:
  /// Reads symbols: not in a stopped program. Throws Error (not_found) when moult's own are not to be had.
  explicit SlotRelease(const Program& program);

  /// The first thread that is giving a slot back, or whose next call will. Some that delete something else are taken
  /// for one. Does not allocate.
  std::optional<ThreadId> find(const StoppedWorld& stopped) const;

 private:
  bool is_inside(const Frame& frame) const noexcept;
  bool leads_there(CodeAddress from) const noexcept;
  bool is_way_there(CodeAddress target) const noexcept;

  CodeRange entry_;
  std::vector<CodeRange> ranges_;
};

}  // namespace moult::internal
