// Problem: g++ knows which registers a function of the same source file leaves alone (-fipa-ra, from -O2 on), with all
// that it calls. A caller may keep a value in one of them over the call, though calls need not preserve it. It may also
// leave its stack unaligned for a function that needs no alignment (-fipa-stack-alignment). A new version changes the
// register, or ends the program at an access that needs the alignment.
//
// Approach: the old version's code shows which registers it leaves alone. Behind each direct call, the caller's code is
// followed: a register that is read there before it is written was relied on. A caller that itself calls only known
// functions has callers that may rely on it in turn, so these are looked at, too, ten deep.
//
// A register that was set before the call and is an argument register may look like an argument of a later call, which
// takes fewer. Where the later function is not known, moult refuses only if the compiler is known to do such a thing.
//
// Limits: calls by pointer rely on nothing. In a caller with a frame pointer the stack's alignment is not known.
#include "functions/relied_registers.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.hpp"
#include "functions/mark_advice.hpp"
#include "symbols/compilation.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

constexpr RegisterSet vector_registers = ((RegisterSet{1} << 32) - 1) << 16;

/// The registers in which a function may return its result; none without debug information.
RegisterSet results_of(const Program& program, CodeAddress function) {
  const std::optional<FunctionSymbol> symbol = program.at(function);
  const std::optional<Signature> signature = symbol ? program.signature(*symbol) : std::nullopt;
  switch (signature ? signature->result : Passing::nothing) {
    case Passing::nothing: return 0;
    case Passing::number: return general_register(rax);
    case Passing::vector: return vector_register(0);
    case Passing::unknown: break;
  }
  return general_register(rax) | general_register(rdx) | vector_register(0) | vector_register(1);
}

/// The callers of one function that rely on what it leaves alone.
class ReliedOn final {
 public:
  ReliedOn(const Program& program, KnownBodies& bodies, Callers& callers)
      : program_(program), bodies_(bodies), callers_(callers) {}

  /// Looks for callers of `old` that `replacement` would harm. Says how; nothing if there are none.
  std::optional<std::string> find(const FunctionSymbol& old, const FunctionSymbol& replacement) {
    const Compilation compilation = compilation_at(program_, old.range.begin);
    const bool is_gcc = compilation.compiler() == Compilation::Compiler::gcc;
    if (compilation.compiler() == Compilation::Compiler::clang || is_marked(program_, old)) return std::nullopt;
    const BodyFacts fresh = bodies_.facts_of(replacement.range.begin);
    believes_possible_ = is_gcc && compilation.relies_on_bodies("ipa-ra");
    const bool may_keep = !is_gcc || believes_possible_;
    changed_ = !may_keep ? 0 : fresh.is_complete ? fresh.written : call_clobbered;
    needs_alignment_ = compilation.relies_on_bodies("ipa-stack-alignment") &&
                       (!fresh.is_complete || fresh.calls_unknown || (fresh.written & vector_registers) != 0);
    return search(old.range.begin);
  }

 private:
  /// The registers that `function` leaves alone and the new version does not; nothing if it calls unknown code.
  std::optional<RegisterSet> endangered(CodeAddress function) {
    const BodyFacts facts = bodies_.facts_of(function);
    const RegisterSet kept = call_clobbered & ~facts.written & changed_;
    if (facts.calls_unknown || (kept == 0 && !needs_alignment_)) return std::nullopt;
    return kept;
  }

  std::optional<std::string> search(CodeAddress old) {
    constexpr int most_rounds = 10;  // each reads all code
    std::map<CodeAddress, RegisterSet> kept;
    std::vector<CodeAddress> targets;
    std::optional<std::string> unaligned;
    const auto add = [&](CodeAddress function) {
      if (kept.contains(function)) return;
      const std::optional<RegisterSet> registers = endangered(function);
      if (!registers) return;
      kept.emplace(function, *registers);
      targets.push_back(function);
    };
    add(old);
    for (int round = 0; round < most_rounds && !targets.empty(); ++round) {
      const std::vector<CodeAddress> now = std::exchange(targets, {});
      if (round > 0) callers_.look_for(now);
      for (const CodeAddress target : now)
        for (const Branch& branch : callers_.of(target)) {
          const std::optional<FunctionSymbol> caller = program_.at(branch.at);
          const CodeAddress entry = caller && caller->range.size() > 0 ? caller->range.begin : branch.code.begin;
          if (branch.is_call) {
            if (std::optional<std::string> harm = register_kept_at(branch, entry, kept.at(target))) return harm;
            if (!unaligned) unaligned = unaligned_at(branch);
          }
          if (caller && is_marked(program_, *caller)) continue;
          add(entry);
          add(branch.code.begin);  // a clone, which is called by itself
        }
    }
    return unaligned;
  }

  /// A register that the caller keeps a value in.
  std::optional<std::string> register_kept_at(const Branch& call, CodeAddress caller, RegisterSet kept) {
    const FunctionBody* const body = kept == 0 ? nullptr : bodies_.body_around(call);
    if (body == nullptr) return std::nullopt;
    const RegisterSet defined = kept & bodies_.defined_at(*body, call.at);
    const CodeAddress behind = call.at + body->steps().at(call.at).instruction.length;
    const RegisterReads reads = bodies_.reads_from(*body, behind, defined, results_of(program_, caller));
    const RegisterSet relied_on = reads.certain | (believes_possible_ ? reads.possible : 0);
    if (relied_on == 0) return std::nullopt;
    return program_.describe(call.at) + " keeps a value in " + first_name_of(relied_on) +
           " over its call, as it leaves that register alone (-fipa-ra)";
  }

  std::optional<std::string> unaligned_at(const Branch& call) const {
    Row row;
    if (!needs_alignment_ || !find_row(call.at, row) || row.cfa_expression != nullptr) return std::nullopt;
    if (row.cfa_register != internal::rsp || row.cfa_offset % 16 == 0) return std::nullopt;
    return program_.describe(call.at) +
           " calls it with a stack that is not aligned to 16 bytes, which it does not need (-fipa-stack-alignment)";
  }

  const Program& program_;
  KnownBodies& bodies_;
  Callers& callers_;
  RegisterSet changed_ = 0;
  bool needs_alignment_ = false;
  bool believes_possible_ = false;
};

}  // namespace

void refuse_relied_registers(const Program& program, KnownBodies& bodies, Callers& callers,
                             const std::vector<FunctionSymbol>& olds, const std::vector<FunctionSymbol>& replacements,
                             Refusals& refusals) {
  MOULT_FAULT("functions.prepare.registers");
  ReliedOn relied_on(program, bodies, callers);
  for (std::size_t i = 0; i < olds.size(); ++i) {
    const std::optional<std::string> harm = relied_on.find(olds[i], replacements[i]);
    if (!harm) continue;
    refusals.add(ErrorCode::unsupported_code, olds[i].demangled + ": " + *harm + "; " + replacements[i].demangled +
                                                  " does more: " + knowledge_advice(program, olds[i]));
  }
}

}  // namespace moult::internal
