// Why: an object that is converted at its first use leaves an old value behind, whose destructor is to run while every
// call of it leads to the new class's.
//
// How: its first instructions are executed as a copy, as at a gate, and go on behind the jump. What it calls runs as
// the program has it by then: if it called a function of its class, that would be the new one, for an old value. So its
// code is read, and that of all it calls. Followed are calls in modules that know the class by their debug information;
// no others can name a function of it. A call by a pointer may lead anywhere, so it is a reason to refuse; vtables and
// std::function are called so.
#include "classes/old_destructor.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "code/decoder.hpp"
#include "code/linkage_stub.hpp"
#include "code/moved_entry.hpp"
#include "code/own_calls.hpp"
#include "code/patch.hpp"
#include "moult/error.hpp"
#include "symbols/class_layout.hpp"

namespace moult::internal {
namespace {

class CodeReader final {
 public:
  CodeReader(const Program& program, ClassName of_class, const std::set<CodeAddress>& redefined)
      : program_(program), class_(std::move(of_class)), redefined_(redefined) {
    for (const ClassLayout& layout : class_layouts(program, class_)) knowing_.insert(layout.module);
  }

  void read_all_from(const FunctionSymbol& destructor) {
    read_.insert(destructor.range.begin);
    waiting_.push_back(destructor);
    while (!waiting_.empty()) {
      const FunctionSymbol next = std::move(waiting_.back());
      waiting_.pop_back();
      read(next.range, next);
      for (const CodeRange& fragment : next.fragments) read(fragment, next);
    }
  }

 private:
  [[noreturn]] void refuse(CodeAddress at, const std::string& what) const {
    throw Error(ErrorCode::unsupported,
                class_.text() + ": its destructor has to run for old values when the class is redefined already, and " +
                    program_.describe(at) + " " + what + "; convert eagerly, or do not rebind");
  }

  void read(CodeRange range, const FunctionSymbol& function) {
    const std::vector<std::uint8_t> bytes = original_code(range);
    std::span<const std::uint8_t> rest(bytes);
    for (CodeAddress at = range.begin; !rest.empty();) {
      const std::optional<Instruction> instruction = decode(rest, at);
      if (!instruction) refuse(at, "has code that cannot be read");
      note(*instruction, at, function);
      at = at + instruction->length;
      rest = rest.subspan(instruction->length);
    }
  }

  void note(const Instruction& instruction, CodeAddress at, const FunctionSymbol& function) {
    if (instruction.target) {
      const auto contains = [&](const CodeRange& range) { return range.contains(*instruction.target); };
      const bool is_inside = contains(function.range) || std::ranges::any_of(function.fragments, contains);
      if (instruction.is_call || !is_inside) follow(behind_stub(*instruction.target, at), at);
    } else if (instruction.pointer) {
      follow(bound(*instruction.pointer, at), at);
    } else if (instruction.is_call || instruction.kind == InstructionKind::indirect_jump) {
      refuse(at, "calls by a pointer, which may lead to a function of the class");
    }
  }

  void follow(CodeAddress target, CodeAddress at) {
    const std::optional<FunctionSymbol> called = program_.at(target);
    if (redefined_.contains(without_own_copy(target)))
      refuse(at, "calls " + called.value_or(FunctionSymbol()).demangled + " of it");
    for (const Version& version : versions_of(target)) follow(version.function, at);
    if (!called || !knowing_.contains(called->module)) return;
    if (read_.insert(called->range.begin).second) waiting_.push_back(*called);
  }

  /// What an entry of the linkage table leads to; any other code itself.
  CodeAddress behind_stub(CodeAddress target, CodeAddress at) const {
    if (const std::optional<FunctionSymbol> known = program_.at(target); known && !known->mangled.empty())
      return target;
    const std::optional<std::uintptr_t> slot = slot_of_stub(target);
    return slot ? bound(*slot, at) : target;
  }

  /// What the slot leads to once the loader has bound it.
  CodeAddress bound(std::uintptr_t slot, CodeAddress at) const {
    const std::optional<CodeAddress> target = destination_of(slot);
    if (!target) refuse(at, "calls a function that is not bound yet");
    return *target;
  }

  const Program& program_;
  ClassName class_;
  const std::set<CodeAddress>& redefined_;
  std::set<std::string> knowing_;  ///< modules, by their paths
  std::set<CodeAddress> read_;
  std::vector<FunctionSymbol> waiting_;
};

}  // namespace

Destructor permanent_destructor(const Program& program, const FunctionSymbol& destructor, const ClassName& of_class,
                                const std::set<CodeAddress>& redefined) {
  const PatchTarget target{destructor.demangled, destructor.range, {}, destructor.fragments, {}};
  const EntryCode entry = entry_code_of({&target, 1}).front();
  const std::optional<FunctionSymbol> active = entry.active ? program.at(*entry.active) : std::optional(destructor);
  if (!active)
    throw Error(ErrorCode::unsupported, of_class.text() + ": what its destructor is redefined as now is not known");
  CodeReader(program, of_class, redefined).read_all_from(*active);
  return reinterpret_cast<Destructor>(value(permanent_entry(entry, "convert eagerly, or do not rebind")));
}

}  // namespace moult::internal
