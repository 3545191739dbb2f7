// Problem: clang does not pass an argument that a function of the same source file does not read, even if the function
// is not inlined. It leaves such arguments of a local function out, so that the next ones move to other registers. An
// argument that is the same in all calls becomes a constant in the function, and then it is not read. A result that is
// always the same becomes a constant in the callers. MOULT_UPDATABLE prevents all of it.
//
// Approach: the code of the old version shows which arguments it reads. The new one may read no other, and of a local
// function also none behind the first that is missing. A function that returns one constant on every way, or never sets
// the register of its result, is replaced only by one that does so, too.
//
// Limits: of arguments on the stack nothing is known, nor of those behind a class that is passed by value: there only
// the registers that both versions read are compared. Results other than numbers and pointers are not looked at.
#include "functions/missing_arguments.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

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

/// What rax has at a place.
struct Result {
  enum class Kind { unset, constant, other } kind = Kind::unset;
  std::uint64_t value = 0;
  bool operator==(const Result&) const = default;
};

/// What the function leaves in rax on all ways to its end.
Result result_of(const FunctionBody& body) {
  std::map<CodeAddress, Result> before{{body.entry(), Result{}}};
  std::vector<CodeAddress> open{body.entry()};
  std::optional<Result> at_end;
  while (!open.empty()) {
    const CodeAddress at = open.back();
    open.pop_back();
    const Step& step = body.steps().at(at);
    Result now = before.at(at);
    if (step.instruction.is_return && at_end.value_or(now) != now) return {Result::Kind::other};
    if (step.instruction.is_return) at_end = now;
    if ((step.use.written & general_register(rax)) != 0)
      now = step.use.constant ? Result{Result::Kind::constant, *step.use.constant} : Result{Result::Kind::other};
    if (body.leaves(step)) now = {Result::Kind::other};
    const std::vector<CodeAddress> next = body.next(at);
    if (body.leaves(step) && !step.instruction.is_call) return {Result::Kind::other};
    for (const CodeAddress each : next) {
      const auto [known, is_new] = before.try_emplace(each, now);
      if (!is_new && (known->second == now || known->second.kind == Result::Kind::other)) continue;
      if (!is_new) known->second = {Result::Kind::other};
      open.push_back(each);
    }
  }
  return at_end.value_or(Result{Result::Kind::other});
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
  const Result known = result_of(*old_body);
  return known.kind != Result::Kind::other && result_of(*fresh_body) != known;
}

}  // namespace

void refuse_missing_arguments(const Program& program, KnownBodies& bodies, const std::vector<FunctionSymbol>& olds,
                              const std::vector<FunctionSymbol>& replacements, Refusals& refusals) {
  MOULT_FAULT("functions.prepare.arguments");
  for (std::size_t i = 0; i < olds.size(); ++i) {
    const FunctionSymbol& old = olds[i];
    const Compilation compilation = compilation_at(program, old.range.begin);
    if (compilation.compiler() != Compilation::Compiler::clang || !compilation.optimises() || is_marked(program, old))
      continue;
    const RegisterSet missing = missing_arguments(program, bodies, old, replacements[i]);
    const bool is_known = is_result_known(program, bodies, old, replacements[i]);
    if (missing == 0 && !is_known) continue;
    const std::optional<CodeAddress> call = call_in_source(program, old);
    if (!call) continue;
    const std::string what =
        missing != 0 ? "does not read the argument in " + first_name_of(missing) + ", so clang need not pass it, as in "
                     : "always returns the same, so clang need not look at it, as in ";
    refusals.add(ErrorCode::unsupported_code, old.demangled + ": " + what + program.describe(*call) + "; " +
                                                  replacements[i].demangled +
                                                  (missing != 0 ? " reads it" : " returns something else") +
                                                  ": mark the old one MOULT_UPDATABLE and build the program again");
  }
}

}  // namespace moult::internal
