// The instructions of a function, and the ways through them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/address.hpp"
#include "code/decoder.hpp"

namespace moult::internal {

/// One instruction.
struct Step {
  Instruction instruction;
  RegisterUse use;
  std::optional<std::uintptr_t> rip_operand;  ///< the address of an operand that it finds by its own address
};

class FunctionBody final {
 public:
  /// Decodes code as it was compiled. The function begins with the first part; the others are its fragments. Nothing if
  /// some bytes are no known instruction.
  static std::optional<FunctionBody> read(std::span<const CodeRange> parts);

  CodeAddress entry() const noexcept { return entry_; }
  const std::map<CodeAddress, Step>& steps() const noexcept { return steps_; }
  bool contains(CodeAddress address) const { return steps_.contains(address); }
  /// Whether the instruction leads out of the function: a call, also of the function itself, or a jump. One by pointer
  /// does, unless it is a jump through a table.
  bool leaves(const Step& step) const;
  /// Where the function may continue behind the instruction at `at`, and behind the call that it makes. A jump through
  /// a table may continue at any block that begins behind a jump or is the target of one.
  std::vector<CodeAddress> next(CodeAddress at) const;
  /// rbp is the frame pointer.
  bool has_frame_pointer() const noexcept { return has_frame_pointer_; }

 private:
  CodeAddress entry_{};
  std::map<CodeAddress, Step> steps_;
  std::set<CodeAddress> blocks_;
  bool has_table_ = false;
  bool has_frame_pointer_ = false;
};

}  // namespace moult::internal
