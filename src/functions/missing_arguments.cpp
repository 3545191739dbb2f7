// Problem: clang does not pass an argument that a function of the same source file does not read, even if the function
// is not inlined. It leaves such arguments of a local function out, so that the next ones move to other registers. An
// argument that is the same in all calls becomes a constant in the function, and then it is not read. In place of a
// pointer to a local function it passes what the pointer points to (argument promotion). A result that is always the
// same becomes a constant in the callers, with g++ from version 14 on as well, and a result that is one of the
// arguments is taken from there. MOULT_UPDATABLE prevents all of it.
//
// Approach: the code of the old version shows which arguments it reads. The new one may read no other, and of a local
// function also none behind the first that is missing. A function that returns one constant or one argument on every
// way, or never sets the register of its result, is replaced only by one that does so, too. If it does nothing else,
// all its calls may be gone, so that none need be found. An address counts as a constant.
//
// Limits: of arguments on the stack nothing is known, nor of those behind a class that is passed by value: there only
// the registers that both versions read are compared. Results in vector registers and of several registers are not
// looked at, nor is what is known of a result that varies (its range).
#include "functions/missing_arguments.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.hpp"
#include "functions/arguments.hpp"
#include "functions/mark_advice.hpp"
#include "symbols/compilation.hpp"

namespace moult::internal {
namespace {

/// The arguments that callers may not pass, if the function reads only `read`.
RegisterSet missing_among(const std::vector<RegisterSet>& registers, RegisterSet read, bool are_renumbered) {
  RegisterSet missing = 0;
  for (const RegisterSet each : registers)
    if ((read & each) == 0 || (are_renumbered && missing != 0)) missing |= each;
  return missing;
}

/// The arguments that the new version reads and callers of the old one may not pass.
RegisterSet missing_arguments(const Program& program, KnownBodies& bodies, const FunctionSymbol& old,
                              const FunctionSymbol& fresh) {
  const RegisterReads read = bodies.arguments_of(old.range.begin);
  const RegisterReads wanted = bodies.arguments_of(fresh.range.begin);
  const std::optional<ArgumentPlaces> arguments = argument_places(program, old);
  if (!arguments) return wanted.certain & ~read.certain & ~general_register(rax);
  const RegisterSet missing = missing_among(arguments->numbers, read.certain, old.is_local) |
                              missing_among(arguments->vectors, read.certain, old.is_local);
  // What both may pass on to a function that is not known, such as a virtual one, is no difference.
  return (wanted.certain | (wanted.possible & ~read.possible)) & missing;
}

/// What a general register has at a place.
struct Content {
  enum class Kind { unset, constant, argument, other } kind = Kind::unset;
  std::uint64_t value = 0;  ///< the constant, or the register of the argument
  bool operator==(const Content&) const = default;
};
constexpr Content unknown{Content::Kind::other};
using Contents = std::array<Content, 16>;  // by register

Contents contents_at_entry() {
  Contents contents;
  for (const Register argument : argument_registers) contents[argument] = {Content::Kind::argument, argument};
  return contents;
}

/// After an instruction. Of rax the lowest `bytes` count.
Contents after(const FunctionBody& body, const Step& step, Contents contents, std::uint64_t bytes) {
  const Content fresh = step.use.constant ? Content{Content::Kind::constant, *step.use.constant}
                        : step.use.copied ? contents[*step.use.copied]
                                          : unknown;
  for (unsigned i = 0; i < contents.size(); ++i) {
    const RegisterSet bit = general_register(static_cast<Register>(i));
    const bool is_whole = (step.use.overwritten & bit) != 0 || (bytes == 1 && step.use.constant);  // mov al, 1
    if ((step.use.written & bit) != 0) contents[i] = is_whole ? fresh : unknown;
    if (body.leaves(step) && (call_clobbered & bit) != 0) contents[i] = unknown;
  }
  return contents;
}

/// What is the same on two ways to a place. False if `known` has it all.
bool merge(Contents& known, const Contents& other) {
  const Contents before = known;
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known[i] != other[i]) known[i] = unknown;
  return known != before;
}

Content lowest(Content content, std::uint64_t bytes) {
  if (content.kind == Content::Kind::constant && bytes < sizeof content.value)
    content.value &= (std::uint64_t{1} << (8 * bytes)) - 1;
  return content;
}

/// What the function leaves in the lowest `bytes` of rax on all ways to its end.
Content result_of(const FunctionBody& body, std::uint64_t bytes) {
  std::map<CodeAddress, Contents> before{{body.entry(), contents_at_entry()}};
  std::vector<CodeAddress> open{body.entry()};
  while (!open.empty()) {
    const CodeAddress at = open.back();
    open.pop_back();
    const Step& step = body.steps().at(at);
    if (body.leaves(step) && !step.instruction.is_call) return unknown;
    const Contents now = after(body, step, before.at(at), bytes);
    for (const CodeAddress each : body.next(at)) {
      const auto [known, is_new] = before.try_emplace(each, now);
      if (is_new || merge(known->second, now)) open.push_back(each);
    }
  }
  std::optional<Content> result;
  for (const auto& [at, contents] : before) {
    if (!body.steps().at(at).instruction.is_return) continue;
    const Content here = lowest(contents[rax], bytes);
    if (result.value_or(here) != here) return unknown;
    result = here;
  }
  return result.value_or(unknown);
}

/// Callers may have what the old version returns without asking it.
bool is_result_known(const Program& program, KnownBodies& bodies, const FunctionSymbol& old,
                     const FunctionSymbol& fresh) {
  const FunctionBody* const old_body = bodies.body_at(old.range.begin);
  const FunctionBody* const fresh_body = bodies.body_at(fresh.range.begin);
  std::optional<Signature> signature = program.signature(old);
  if (!signature) signature = program.signature(fresh);
  if (!signature || signature->result != Passing::number) return false;
  if (old_body == nullptr || fresh_body == nullptr) return false;
  const Content known = result_of(*old_body, signature->result_size);
  return known != unknown && result_of(*fresh_body, signature->result_size) != known;
}

/// An argument of a local function that is not where its type says, but something else is there. clang passes what a
/// pointer points to (argument promotion), and what it does not pass makes room for the next.
std::optional<std::string> moved_argument(const Program& program, KnownBodies& bodies, const FunctionSymbol& old) {
  const std::optional<Signature> signature = old.is_local ? program.signature(old) : std::nullopt;
  if (!signature || signature->result == Passing::unknown) return std::nullopt;
  const RegisterReads read = bodies.arguments_of(old.range.begin);
  std::size_t number = 0;
  for (const Parameter& parameter : signature->parameters) {
    if (parameter.passing == Passing::unknown || number == argument_registers.size()) break;
    if (parameter.passing != Passing::number) continue;
    const Register expected = argument_registers[number++];
    const bool is_there = parameter.place == static_cast<std::uint64_t>(expected);
    const bool is_read = ((read.certain | read.possible) & general_register(expected)) != 0;
    if (!parameter.name.empty() && !is_there && is_read) return parameter.name;
  }
  return std::nullopt;
}

/// Nobody notices whether it is called, but for its result.
bool does_nothing(const BodyFacts& facts) {
  return facts.is_complete && !facts.calls_unknown && !facts.may_read && !facts.may_write;
}

/// What clang knows of the old version, and how the new one differs from it.
struct Knowledge {
  std::string old;
  std::string fresh;
};

/// The compiler of the old version, as far as it uses such knowledge.
enum class KnowingCompiler { none, clang, gcc };

KnowingCompiler knowing_compiler_of(const Program& program, const FunctionSymbol& old) {
  const Compilation compilation = compilation_of_body(program, old);
  if (!compilation.optimises() || is_marked(program, old)) return KnowingCompiler::none;
  if (compilation.compiler() == Compilation::Compiler::clang) return KnowingCompiler::clang;
  const bool knows_results = compilation.gcc_version() >= 14 && compilation.relies_on_bodies("ipa-vrp");
  return knows_results ? KnowingCompiler::gcc : KnowingCompiler::none;
}

std::optional<Knowledge> knowledge_of(const Program& program, KnownBodies& bodies, Callers& callers,
                                      const FunctionSymbol& old, const FunctionSymbol& fresh) {
  const KnowingCompiler compiler = knowing_compiler_of(program, old);
  if (compiler == KnowingCompiler::none) return std::nullopt;
  const bool is_clang = compiler == KnowingCompiler::clang;
  const RegisterSet missing = is_clang ? missing_arguments(program, bodies, old, fresh) : 0;
  const bool is_known = is_result_known(program, bodies, old, fresh);
  const std::optional<std::string> moved = is_clang ? moved_argument(program, bodies, old) : std::nullopt;
  if (missing == 0 && !is_known && !moved) return std::nullopt;
  const std::vector<Branch>& calls = callers.of(old.range.begin);
  if (calls.empty() && is_known && does_nothing(bodies.facts_of(old.range.begin)))
    return Knowledge{"does nothing but return a value that the compiler knows, so that calls may have been left out",
                     "returns something else"};
  if (calls.empty()) return std::nullopt;
  const std::string in_call = ", as in " + program.describe(calls.front().at);
  if (missing != 0)
    return Knowledge{
        "does not read the argument in " + first_name_of(missing) + ", so clang need not pass it" + in_call,
        "reads it"};
  if (is_known)
    return Knowledge{"always returns the same value or argument, so the compiler need not look at it" + in_call,
                     "returns something else"};
  return Knowledge{"gets its argument " + *moved +
                       " otherwise than clang passes such arguments to functions that it "
                       "does not know" +
                       in_call,
                   "does not"};
}

}  // namespace

void refuse_missing_arguments(const Program& program, KnownBodies& bodies, Callers& callers,
                              const std::vector<FunctionSymbol>& olds, const std::vector<FunctionSymbol>& replacements,
                              Refusals& refusals) {
  MOULT_FAULT("functions.prepare.arguments");
  for (std::size_t i = 0; i < olds.size(); ++i) {
    const FunctionSymbol& old = olds[i];
    const std::optional<Knowledge> known = knowledge_of(program, bodies, callers, old, replacements[i]);
    if (!known) continue;
    refusals.add(ErrorCode::unsupported_code, old.demangled + ": " + known->old + "; " + replacements[i].demangled +
                                                  " " + known->fresh + ": " + mark_advice(program, old));
  }
}

}  // namespace moult::internal
