// Why: an object that is converted at its first use leaves an old value behind, whose destructor is to run while every
// call of it leads to the new class's.
//
// How: its first instructions are executed as a copy, as at a gate, and go on behind the jump. What it calls runs as
// the program has it by then: if it called a function of its class, that would be the new one, for an old value. So its
// code is read, and that of all it calls. Followed are calls in modules that know the class by their debug information;
// no others can name a function of it. A call by a pointer may lead anywhere, so it is a reason to refuse; vtables and
// std::function are called so.
#include "redefine/old_destructor.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "code/decoder.hpp"
#include "code/gate.hpp"
#include "code/patch.hpp"
#include "moult/error.hpp"
#include "platform/x86_64/encodings.hpp"
#include "symbols/class_layout.hpp"
#include "threads/dynamic_symbols.hpp"

namespace moult::redefine {
namespace {

using code::Instruction;
using code::InstructionKind;
using symbols::FunctionSymbol;
using symbols::Program;

CodeAddress pointer_at(std::uintptr_t place) noexcept {
  CodeAddress target{};
  std::memcpy(&target, reinterpret_cast<const void*>(place), sizeof target);
  return target;
}

class CodeReader final {
 public:
  CodeReader(const Program& program, std::string class_name, const std::set<CodeAddress>& redefined)
      : program_(program), class_name_(std::move(class_name)), redefined_(redefined) {
    for (const symbols::ClassLayout& layout : symbols::class_layouts(program, class_name_))
      knowing_.insert(layout.module);
  }

  void read_all_from(const FunctionSymbol& destructor) {
    read_.insert(destructor.range.begin);
    waiting_.push_back(destructor);
    while (!waiting_.empty()) {
      const FunctionSymbol next = std::move(waiting_.back());
      waiting_.pop_back();
      read(next.range, next);
      for (const CodeRange& piece : next.pieces) read(piece, next);
    }
  }

 private:
  [[noreturn]] void refuse(CodeAddress at, const std::string& what) const {
    throw Error(ErrorCode::unsupported,
                class_name_ + ": its destructor has to run for old values when the class is redefined already, and " +
                    program_.describe(at) + " " + what + "; convert eagerly, or do not rebind");
  }

  void read(CodeRange range, const FunctionSymbol& function) {
    const std::vector<std::uint8_t> bytes = code::original_code(range);
    std::span<const std::uint8_t> rest(bytes);
    for (CodeAddress at = range.begin; !rest.empty();) {
      const std::optional<Instruction> instruction = code::decode(rest, at);
      if (!instruction) refuse(at, "has code that cannot be read");
      note(*instruction, at, function);
      at = at + instruction->length;
      rest = rest.subspan(instruction->length);
    }
  }

  void note(const Instruction& instruction, CodeAddress at, const FunctionSymbol& function) {
    if (instruction.target) {
      const auto contains = [&](const CodeRange& range) { return range.contains(*instruction.target); };
      const bool is_inside = contains(function.range) || std::ranges::any_of(function.pieces, contains);
      if (instruction.is_call || !is_inside) follow(behind_stub(*instruction.target, at), at);
    } else if (instruction.pointer) {
      follow(bound(pointer_at(*instruction.pointer), at), at);
    } else if (instruction.is_call || instruction.kind == InstructionKind::indirect_jump) {
      refuse(at, "calls by a pointer, which may lead to a function of the class");
    }
  }

  void follow(CodeAddress target, CodeAddress at) {
    const std::optional<FunctionSymbol> called = program_.at(target);
    if (redefined_.contains(target)) refuse(at, "calls " + called.value_or(FunctionSymbol()).demangled + " of it");
    for (const code::Version& version : code::versions_of(target)) follow(version.function, at);
    if (!called || !knowing_.contains(called->module)) return;
    if (read_.insert(called->range.begin).second) waiting_.push_back(*called);
  }

  /// What an entry of the linkage table leads to; any other code itself.
  CodeAddress behind_stub(CodeAddress target, CodeAddress at) const {
    if (const std::optional<FunctionSymbol> known = program_.at(target); known && !known->mangled.empty())
      return target;
    constexpr std::size_t longest = 16;
    const std::vector<std::uint8_t> bytes = code::original_code({target, target + longest});
    std::optional<Instruction> jump = code::decode(bytes, target);
    if (jump && jump->kind == InstructionKind::endbr64)
      jump = code::decode(std::span(bytes).subspan(jump->length), target + jump->length);
    if (!jump || jump->kind != InstructionKind::indirect_jump || !jump->pointer) return target;
    return bound(pointer_at(*jump->pointer), at);
  }

  /// A slot of the linkage table that was not bound yet leads to where its number is pushed for the loader.
  CodeAddress bound(CodeAddress target, CodeAddress at) const {
    const std::vector<std::uint8_t> bytes = code::original_code({target, target + 16});
    std::span<const std::uint8_t> rest(bytes);
    const std::optional<Instruction> first = code::decode(rest, target);
    CodeAddress push = target;
    if (first && first->kind == InstructionKind::endbr64) {
      rest = rest.subspan(first->length);
      push = push + first->length;
    }
    if (rest.front() != x86_64::push_imm32) return target;
    std::uint32_t number = 0;
    std::memcpy(&number, rest.data() + 1, sizeof number);
    const std::string_view name = threads::name_in_linkage_table(push, number);
    const void* const function = name.empty() ? nullptr : dlsym(RTLD_DEFAULT, std::string(name).c_str());
    if (function == nullptr) refuse(at, "calls a function that is not bound yet");
    return CodeAddress{reinterpret_cast<std::uintptr_t>(function)};
  }

  const Program& program_;
  std::string class_name_;
  const std::set<CodeAddress>& redefined_;
  std::set<std::string> knowing_;  ///< modules, by their paths
  std::set<CodeAddress> read_;
  std::vector<FunctionSymbol> waiting_;
};

}  // namespace

Destructor lasting_destructor(const Program& program, const FunctionSymbol& destructor, const std::string& class_name,
                              const std::set<CodeAddress>& redefined) {
  const code::PatchTarget target{destructor.demangled, destructor.range, {}, destructor.pieces, {}};
  const code::EntryCode entry = code::entry_code_of({&target, 1}).front();
  const std::optional<FunctionSymbol> in_force =
      entry.in_force ? program.at(*entry.in_force) : std::optional(destructor);
  if (!in_force)
    throw Error(ErrorCode::unsupported, class_name + ": what its destructor is redefined as now is not known");
  CodeReader(program, class_name, redefined).read_all_from(*in_force);
  return reinterpret_cast<Destructor>(value(code::lasting_entry(entry)));
}

}  // namespace moult::redefine
