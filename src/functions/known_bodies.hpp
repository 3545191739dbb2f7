// What the code of functions shows of what they do, with all that they call.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "code/branches.hpp"
#include "code/function_body.hpp"
#include "platform/mappings.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// What a function does, and the functions that it calls.
struct BodyFacts {
  RegisterSet written = 0;  ///< in a part at least
  /// It calls a function by pointer or by the linkage table: every register may be written there.
  bool calls_unknown = false;
  bool may_read = false;   ///< memory other than its own stack and constants
  bool may_write = false;  ///< memory other than its own stack, or the system
  /// The same without doubt: nothing that a compiler knows to be without effects, and no access that may be one of the
  /// function's own stack or of a constant.
  bool certainly_reads = false;
  bool certainly_writes = false;
  bool is_complete = true;  ///< false if some code could not be read; then the rest is the least that it does
};

/// Registers whose values from before a place in the code are read behind it.
struct RegisterReads {
  RegisterSet certain = 0;
  /// Arguments that may be passed to a function of which it is not known how many it takes.
  RegisterSet possible = 0;
};

/// Reads each function once.
class KnownBodies final {
 public:
  explicit KnownBodies(const Program& program) : program_(program) {}

  /// The function that begins at `entry`; null if it cannot be read.
  const FunctionBody* body_at(CodeAddress entry);
  /// The function that the branch is in; null if it cannot be read.
  const FunctionBody* body_around(const Branch& branch);
  BodyFacts facts_of(CodeAddress entry);
  /// What the function reads of the registers that calls need not preserve: its arguments.
  RegisterReads arguments_of(CodeAddress entry);
  /// The registers among `kept` that are read from the instruction at `from` on, before they are written. All others
  /// have no meaning there. `results` are read by a return.
  RegisterReads reads_from(const FunctionBody& body, CodeAddress from, RegisterSet kept, RegisterSet results);
  /// The function that the instruction leads to as the program stands, also one of another module.
  std::optional<CodeAddress> callee(const FunctionBody& body, const Step& step) const;
  /// Whether the memory at `address` cannot be written.
  bool is_constant(std::uintptr_t address);
  /// The registers that may hold a value on purpose before the instruction at `at`; all if the way there is not known.
  RegisterSet defined_at(const FunctionBody& body, CodeAddress at);

 private:
  /// What one function does alone.
  struct Own {
    BodyFacts facts;
    std::vector<CodeAddress> callees;
  };
  const Own& own_facts_of(CodeAddress entry);
  /// Notes what the instruction reads and writes, in a function that takes such addresses.
  void note_memory(const FunctionBody& body, const Step& step, bool takes_stack, bool takes_constant, BodyFacts& facts);
  void note_unknown_call(const FunctionBody& body, const Step& step, BodyFacts& facts) const;
  /// The function that the instruction calls, if the compiler may have known its body.
  std::optional<CodeAddress> known_callee(const FunctionBody& body, const Step& step) const;
  RegisterSet written_by_call(const FunctionBody& body, const Step& step);

  const Program& program_;
  std::optional<std::vector<MemoryRange>> memory_;
  std::map<CodeAddress, std::optional<FunctionBody>> bodies_;
  std::map<CodeAddress, Own> own_;
  std::map<CodeAddress, BodyFacts> facts_;
  std::map<CodeAddress, RegisterReads> arguments_;
  std::vector<CodeAddress> unfinished_;  ///< of arguments_of, each called by the one before
};

}  // namespace moult::internal
