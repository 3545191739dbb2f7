// Problem: clang does not pass an argument that a function of the same source file does not read, even if the function
// is not inlined. It leaves such arguments of a local function out, so that the next ones move to other registers. An
// argument that is the same in all calls becomes a constant in the function, and then it is not read. A result that is
// always the same becomes a constant in the callers, and a result that is one of the arguments is taken from there.
// MOULT_UPDATABLE prevents all of it.
//
// Approach: the code of the old version shows which arguments it reads. The new one may read no other, and of a local
// function also none behind the first that is missing. A function that returns one constant or one argument on every
// way, or never sets the register of its result, is replaced only by one that does so, too. If it does nothing else,
// all its calls may be gone, so that none need be found.
//
// Limits: of arguments on the stack nothing is known, nor of those behind a class that is passed by value: there only
// the registers that both versions read are compared. Results other than numbers and pointers are not looked at.
#include "functions/missing_arguments.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.hpp"
#include "functions/arguments.hpp"
#include "functions/callers.hpp"
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
  const RegisterSet read = bodies.arguments_of(old.range.begin).certain;
  const RegisterReads wanted = bodies.arguments_of(fresh.range.begin);
  const std::optional<ArgumentPlaces> arguments = argument_places(program, old);
  if (!arguments) return wanted.certain & ~read & ~general_register(rax);
  const RegisterSet missing =
      missing_among(arguments->numbers, read, old.is_local) | missing_among(arguments->vectors, read, old.is_local);
  return (wanted.certain | wanted.possible) & missing;
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

/// After an instruction.
Contents after(const FunctionBody& body, const Step& step, Contents contents) {
  const Content fresh = step.use.constant ? Content{Content::Kind::constant, *step.use.constant}
                        : step.use.copied ? contents[*step.use.copied]
                                          : unknown;
  for (unsigned i = 0; i < contents.size(); ++i) {
    const RegisterSet bit = general_register(static_cast<Register>(i));
    if ((step.use.written & bit) != 0) contents[i] = (step.use.overwritten & bit) != 0 ? fresh : unknown;
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

/// What the function leaves in rax on all ways to its end.
Content result_of(const FunctionBody& body) {
  std::map<CodeAddress, Contents> before{{body.entry(), contents_at_entry()}};
  std::vector<CodeAddress> open{body.entry()};
  while (!open.empty()) {
    const CodeAddress at = open.back();
    open.pop_back();
    const Step& step = body.steps().at(at);
    if (body.leaves(step) && !step.instruction.is_call) return unknown;
    const Contents now = after(body, step, before.at(at));
    for (const CodeAddress each : body.next(at)) {
      const auto [known, is_new] = before.try_emplace(each, now);
      if (is_new || merge(known->second, now)) open.push_back(each);
    }
  }
  std::optional<Content> result;
  for (const auto& [at, contents] : before) {
    if (!body.steps().at(at).instruction.is_return) continue;
    if (result.value_or(contents[rax]) != contents[rax]) return unknown;
    result = contents[rax];
  }
  return result.value_or(unknown);
}

/// Callers may have what the old version returns without asking it.
bool is_result_known(const Program& program, KnownBodies& bodies, const FunctionSymbol& old,
                     const FunctionSymbol& fresh) {
  const FunctionBody* const old_body = bodies.body_at(old.range.begin);
  const FunctionBody* const fresh_body = bodies.body_at(fresh.range.begin);
  std::optional<std::string> type = program.result_type(old);
  if (!type) type = program.result_type(fresh);
  if (!type || *type == "void" || old_body == nullptr || fresh_body == nullptr) return false;
  if (!is_number(*type) && !type->ends_with('*') && !type->ends_with('&')) return false;
  const Content known = result_of(*old_body);
  return known != unknown && result_of(*fresh_body) != known;
}

/// Nobody notices whether it is called, but for its result.
bool does_nothing(const BodyFacts& facts) {
  return facts.is_complete && !facts.calls_unknown && !facts.reads_memory && !facts.writes_memory;
}

}  // namespace

void refuse_missing_arguments(const Program& program, KnownBodies& bodies, const std::vector<FunctionSymbol>& olds,
                              const std::vector<FunctionSymbol>& replacements, Refusals& refusals) {
  MOULT_FAULT("functions.prepare.arguments");
  for (std::size_t i = 0; i < olds.size(); ++i) {
    const FunctionSymbol& old = olds[i];
    const Compilation compilation = compilation_of_body(program, old);
    if (compilation.compiler() != Compilation::Compiler::clang || !compilation.optimises() || is_marked(program, old))
      continue;
    const RegisterSet missing = missing_arguments(program, bodies, old, replacements[i]);
    const bool is_known = is_result_known(program, bodies, old, replacements[i]);
    if (missing == 0 && !is_known) continue;
    const std::optional<CodeAddress> call = call_in_source(program, old);
    if (!call && !(is_known && does_nothing(bodies.facts_of(old.range.begin)))) continue;
    const std::string what =
        !call          ? "does nothing but return a value that clang knows, so that calls may have been left out"
        : missing != 0 ? "does not read the argument in " + first_name_of(missing) +
                             ", so clang need not pass it, as in " + program.describe(*call)
                       : "always returns the same value or argument, so clang need not look at it, as in " +
                             program.describe(*call);
    refusals.add(ErrorCode::unsupported_code, old.demangled + ": " + what + "; " + replacements[i].demangled +
                                                  (call && missing != 0 ? " reads it" : " returns something else") +
                                                  ": mark the old one MOULT_UPDATABLE and build the program again");
  }
}

}  // namespace moult::internal
