// Problem: where a compiler sees that a function has no side effects, it calls it fewer times than the source does
// (-fipa-pure-const, from -O1 on; clang does the same). It merges calls with the same arguments, moves them out of
// loops, and leaves those out whose result is not used. If the function reads no memory either, calls are merged over
// assignments, too. A new version with side effects has them too seldom, and one that reads memory gives old results.
//
// Approach: no trace is left of a call that is gone, so moult compares the two versions. The old one writes no memory
// but its own stack, and calls only functions of that kind. The new one does more. A direct call in the same source
// file shows that the compiler has used its knowledge of the body, or could have.
//
// Limits: a function all of whose calls were left out is not noticed. A read of a volatile variable looks like any
// read; g++ takes the function for one with side effects then, and moult refuses more than it needs to. A version that
// assigns to a variable which the old one leaves alone is not noticed, if the old one has side effects of its own.
#include "functions/merged_calls.hpp"

#include <optional>
#include <string>

#include "base/fault.hpp"
#include "functions/callers.hpp"
#include "symbols/compilation.hpp"

namespace moult::internal {
namespace {

enum class SideEffects { none_and_reads_nothing, none, some };

/// Code that is not known may have any.
SideEffects side_effects_of(const BodyFacts& facts) {
  if (!facts.is_complete || facts.calls_unknown || facts.writes_memory) return SideEffects::some;
  return facts.reads_memory ? SideEffects::none : SideEffects::none_and_reads_nothing;
}

/// Whether callers in the function's source file may have been compiled knowing its body.
bool may_be_known(const Program& program, const FunctionSymbol& function) {
  const Compilation compilation = compilation_of_body(program, function);
  if (compilation.compiler() == Compilation::Compiler::unknown) return false;
  return compilation.relies_on_bodies("ipa-pure-const") && !is_marked(program, function);
}

}  // namespace

void refuse_merged_calls(const Program& program, KnownBodies& bodies, const std::vector<FunctionSymbol>& olds,
                         const std::vector<FunctionSymbol>& replacements, Refusals& refusals) {
  MOULT_FAULT("functions.prepare.calls");
  for (std::size_t i = 0; i < olds.size(); ++i) {
    const SideEffects old = side_effects_of(bodies.facts_of(olds[i].range.begin));
    if (old == SideEffects::some || !may_be_known(program, olds[i])) continue;
    const SideEffects fresh = side_effects_of(bodies.facts_of(replacements[i].range.begin));
    if (fresh <= old) continue;
    const std::optional<CodeAddress> call = call_in_source(program, olds[i]);
    if (!call) continue;
    const bool has_effects = fresh == SideEffects::some;
    refusals.add(ErrorCode::unsupported_code,
                 olds[i].demangled + ": " + (has_effects ? "has no side effects" : "reads no variable") +
                     ", so the compiler may have merged or left out calls (-fipa-pure-const), as in " +
                     program.describe(*call) + "; " + replacements[i].demangled +
                     (has_effects ? " has, or calls what is not known" : " reads one") +
                     ": mark the old one MOULT_UPDATABLE, or build with moult_application() or "
                     "-flive-patching=inline-clone");
  }
}

}  // namespace moult::internal
