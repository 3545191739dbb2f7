// The instructions of a function, and the ways through them.
//
// Limit: of a function with a jump table, a jump by a register counts as one through the table only if the value is
// added up or read with an index shortly before. Any other may lead everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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
  bool is_table_jump = false;                 ///< it jumps to one of the places in a table of the function

  /// `lea reg, [rip + d]`: it takes that address.
  bool is_address() const noexcept { return rip_operand && use.constant == *rip_operand; }
};

class FunctionBody final {
 public:
  /// Decodes code as it was compiled. The function begins with the first part; the others are its fragments. Nothing if
  /// some bytes are no known instruction.
  static std::optional<FunctionBody> read(std::span<const CodeRange> parts);

  CodeAddress entry() const noexcept { return entry_; }
  const std::map<CodeAddress, Step>& steps() const noexcept { return steps_; }
  bool contains(CodeAddress address) const { return steps_.contains(address); }
  /// Whether the instruction leads out of the function: a call, also of the function itself, or a jump.
  bool leaves(const Step& step) const;
  /// Where the function may continue behind the instruction at `at`, and behind the call that it makes.
  std::vector<CodeAddress> next(CodeAddress at) const;
  /// rbp is the frame pointer.
  bool has_frame_pointer() const noexcept { return has_frame_pointer_; }

 private:
  CodeAddress entry_{};
  /// Finds the tables that begin at one of `places`, and the jumps through them.
  void look_for_tables(std::span<const std::uintptr_t> places);
  /// Whether the value by which the instruction jumps was added up, or read from memory with an index.
  bool is_computed_jump(std::map<CodeAddress, Step>::const_iterator jump) const;

  std::map<CodeAddress, Step> steps_;
  std::vector<CodeAddress> table_targets_;
  bool has_frame_pointer_ = false;
};

}  // namespace moult::internal
