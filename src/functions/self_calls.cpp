#include "functions/self_calls.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/warning.hpp"
#include "code/decoder.hpp"
#include "code/linkage_stub.hpp"
#include "code/own_calls.hpp"
#include "code/patch.hpp"

namespace moult::internal {
namespace {

/// Whether the instruction calls `callee`, or jumps to it. `text` is the code of the instruction's module.
bool leads_to(const Instruction& instruction, CodeRange text, CodeAddress callee) {
  if (instruction.target == callee) return true;
  std::optional<std::uintptr_t> slot = instruction.pointer;
  if (instruction.target && text.contains(*instruction.target)) slot = slot_of_stub(*instruction.target);
  return slot && without_own_copy(target_in(*slot)) == callee;
}

std::optional<CodeAddress> call_in(CodeRange range, CodeRange text, CodeAddress callee) {
  const std::vector<std::uint8_t> bytes = original_code(range);
  std::span<const std::uint8_t> rest(bytes);
  for (CodeAddress at = range.begin; !rest.empty();) {
    const std::optional<Instruction> instruction = decode(rest, at);
    if (!instruction) return std::nullopt;
    if (leads_to(*instruction, text, callee)) return at;
    at = at + instruction->length;
    rest = rest.subspan(instruction->length);
  }
  return std::nullopt;
}

}  // namespace

std::optional<CodeAddress> call_by_name(const Program& program, const FunctionSymbol& caller, CodeAddress callee) {
  const std::optional<std::size_t> module = program.module_at(caller.range.begin);
  if (!module) return std::nullopt;
  const CodeRange text = program.modules()[*module].text;
  std::optional<CodeAddress> found = call_in(caller.range, text, callee);
  for (const CodeRange& fragment : caller.fragments)
    if (!found) found = call_in(fragment, text, callee);
  return found;
}

void warn_of_self_call(const Program& program, const FunctionSymbol& old, const FunctionSymbol& replacement) {
  const std::optional<CodeAddress> call = call_by_name(program, replacement, old.range.begin);
  if (!call) return;
  const std::optional<SourceLine> line = program.line_of(*call);
  const std::string at = line ? " at " + line->file + ":" + std::to_string(line->line) : "";
  warn(old.demangled + ": the new version " + replacement.demangled + " calls it by its old name" + at +
       ", and that call reaches the new version again; to call the version that it replaces, use "
       "moult::original; leave it if recursion is meant");
}

}  // namespace moult::internal
