// Problem: where a compiler sees that a function has no side effects, it calls it fewer times than the source does
// (-fipa-pure-const, from -O1 on; clang does the same). It merges calls with the same arguments, moves them out of
// loops, and leaves those out whose result is not used. If the function reads no memory either, calls are merged over
// assignments, too. A new version with side effects has them too seldom, and one that reads memory gives old results.
//
// Approach: no trace is left of a call that is gone, so moult compares the two versions. The old one writes no memory
// but its own stack, as far as its code shows, and calls only functions of that kind, or of the C library what
// compilers know to be without effects. The new one does more. A direct call in the same source file shows that the
// compiler has used its knowledge of the body, or could have.
//
// Limits: a function all of whose calls were left out is not noticed. Nor is what others than the C library declare to
// be without effects ([[gnu::pure]]). A read of a volatile variable looks like any
// read; g++ takes the function for one with side effects then, and moult refuses more than it needs to.
#include "functions/merged_calls.hpp"

#include <string>

#include "base/fault.hpp"
#include "functions/mark_advice.hpp"
#include "symbols/compilation.hpp"

namespace moult::internal {
namespace {

enum class SideEffects { none_and_reads_nothing, none, some };

/// Code that is not known may have any.
SideEffects possible_effects(const BodyFacts& facts) {
  if (!facts.is_complete || facts.calls_unknown || facts.may_write) return SideEffects::some;
  return facts.may_read ? SideEffects::none : SideEffects::none_and_reads_nothing;
}

/// The least that a compiler can have seen.
SideEffects certain_effects(const BodyFacts& facts) {
  if (!facts.is_complete || facts.certainly_writes) return SideEffects::some;
  return facts.certainly_reads ? SideEffects::none : SideEffects::none_and_reads_nothing;
}

}  // namespace

void refuse_merged_calls(const Program& program, KnownBodies& bodies, Callers& callers,
                         const std::vector<FunctionSymbol>& olds, const std::vector<FunctionSymbol>& replacements,
                         Refusals& refusals) {
  MOULT_FAULT("functions.prepare.calls");
  for (std::size_t i = 0; i < olds.size(); ++i) {
    if (!may_be_known(program, olds[i], "ipa-pure-const")) continue;
    const SideEffects old = certain_effects(bodies.facts_of(olds[i].range.begin));
    if (old == SideEffects::some) continue;
    const SideEffects fresh = possible_effects(bodies.facts_of(replacements[i].range.begin));
    if (fresh <= old) continue;
    const std::vector<Branch>& calls = callers.of(olds[i].range.begin);
    if (calls.empty()) continue;
    const bool has_effects = fresh == SideEffects::some;
    refusals.add(ErrorCode::unsupported_code,
                 olds[i].demangled + ": " + (has_effects ? "has no side effects" : "reads no variable") +
                     ", so the compiler may have merged or left out calls (-fipa-pure-const), as in " +
                     program.describe(calls.front().at) + "; " + replacements[i].demangled +
                     (has_effects ? " has, or calls what is not known" : " reads one") + ": " +
                     knowledge_advice(program, olds[i]));
  }
}

}  // namespace moult::internal
