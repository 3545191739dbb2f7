// Problem: where threads take turns in a function, there may never be a moment without a call inside.
//
// Approach: gates (code/gate.hpp) keep new calls out, and return barriers (return_barrier.hpp) report the last return.
// The stop that finds no call inside becomes the stop of the update, and ends with the removal of the gates. In every
// other case the step recorded in the update's transaction removes them.
//
// Waiting callers are delayed most. So after a failed wait the gates open at once; a later stop removes the jumps.
#include "alterability/forced_quiescence.hpp"

#include <map>
#include <utility>

#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "code/module_hold.hpp"
#include "moult/alterability.hpp"
#include "moult/error.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

FunctionSymbol symbol_of(const Program& program, const AnyFunction& function) {
  const CodeAddress address{reinterpret_cast<std::uintptr_t>(function.address())};
  std::optional<FunctionSymbol> symbol = program.at(address);
  if (!symbol || symbol->range.begin != address)
    throw Error(ErrorCode::not_found, (function.name().empty() ? "a function" : function.name()) +
                                          ": no function begins at its address, so that its calls cannot be kept "
                                          "waiting; look it up by name instead");
  if (symbol->demangled.empty()) symbol->demangled = function.name();
  return *symbol;
}

/// Calls of an inlined copy do not pass an entry.
void require_no_copies(const Program& program, const FunctionSymbol& function) {
  const std::optional<std::vector<InlinedSite>> sites = program.inlined_sites(function);
  if (sites && !sites->empty())
    throw Error(ErrorCode::inlined, function.demangled + ": inlined into " + sites->front().caller +
                                        ", where its calls cannot be kept waiting; mark it MOULT_UPDATABLE, or give "
                                        "that function too");
}

std::vector<PatchTarget> targets_of(const Program& program, const std::vector<AnyFunction>& functions) {
  if (functions.empty())
    throw Error(ErrorCode::invalid_argument, "quiescence is forced of no function; name one at least");
  std::vector<PatchTarget> targets;
  for (const AnyFunction& function : functions) {
    const FunctionSymbol symbol = symbol_of(program, function);
    require_no_copies(program, symbol);
    targets.push_back({symbol.demangled, symbol.range, {}, symbol.fragments, {}});
  }
  return targets;
}

std::vector<CodeAddress> addresses_of(const std::vector<AnyFunction>& functions) {
  std::vector<CodeAddress> addresses;
  for (const AnyFunction& function : functions)
    addresses.push_back(CodeAddress{reinterpret_cast<std::uintptr_t>(function.address())});
  return addresses;
}

}  // namespace

struct ForcedQuiescence::Plan {
  std::vector<FunctionExtent> extents;
  std::vector<PatchTarget> targets;
  PatchOptions options;

  static Plan of(const std::vector<AnyFunction>& functions) {
    if (has_shadow_stack())
      throw Error(ErrorCode::unsupported,
                  "the processor keeps shadow stacks for this program (CET), so that nobody would tell when the last "
                  "call has returned; wait for quiescence instead");
    ModuleHold modules(addresses_of(functions));  // before their symbols are read
    const Program program = Program::of_this_process();
    return {extents_of_versions(functions),
            targets_of(program, functions),
            {.modules = std::move(modules), .update = 0, .kind = PatchKind::gate}};
  }
};

ForcedQuiescence::ForcedQuiescence(const std::vector<AnyFunction>& functions) : ForcedQuiescence(Plan::of(functions)) {}

ForcedQuiescence::ForcedQuiescence(Plan plan)
    : wait_(plan.extents, {}),
      gates_(Gates::prepare(std::move(plan.targets), code_of(plan.extents), std::move(plan.options))) {
  MOULT_FAULT("alterability.force.prepared");
}

void ForcedQuiescence::close(const Patience& patience) {
  MOULT_FAULT("alterability.force.close");
  const std::span<const CodeRange> keep_out = gates_.keep_out();
  in_stopped_world({.timeout = patience.stop_timeout, .keep_out = keep_out}, [this](const StoppedWorld& stopped) {
    gates_.require_untouched(stopped);
    gates_.close(stopped);
    is_closed_ = true;
  });
}

void ForcedQuiescence::take_away(const StoppedWorld& stopped) noexcept {
  if (!std::exchange(is_closed_, false)) return;
  wait_.end(stopped);
  gates_.take_away(stopped);
}

namespace {

/// By the transaction of the update that closed the entries.
Guarded<std::map<const Transaction*, std::shared_ptr<ForcedQuiescence>>>& all_forced() {
  using Forced = Guarded<std::map<const Transaction*, std::shared_ptr<ForcedQuiescence>>>;
  static Forced& only = *new Forced();
  return only;
}

std::shared_ptr<ForcedQuiescence> find_forced(const Transaction& transaction) {
  return all_forced().with([&](const auto& all) {
    auto found = all.find(&transaction);
    return found == all.end() ? nullptr : found->second;
  });
}

std::shared_ptr<ForcedQuiescence> forced_of_the_step() {
  std::shared_ptr<ForcedQuiescence> forced = find_forced(transaction_of_the_step());
  if (forced == nullptr)
    throw Error(ErrorCode::invalid_argument,
                "forced quiescence is waited for that was not set up; call setup_force_quiescence in preupdate_setup");
  return forced;
}

void forget(const Transaction& transaction) {
  all_forced().with([&](auto& all) { all.erase(&transaction); });
}

/// In the update's stop. Call forced->finish() when the program runs again.
void take_away_of(const Transaction& transaction, ForcedQuiescence& forced) noexcept {
  forced.take_away(*internal::current_stop());
  forget(transaction);
}

/// After quiescence was reached: the entries open when the update has made its change.
void open_at_resume(const std::shared_ptr<ForcedQuiescence>& forced) {
  Transaction& transaction = transaction_of_the_step();
  transaction.after_resume([forced] { forced->finish(); });
  transaction.before_resume([&transaction, forced] { take_away_of(transaction, *forced); });
}

/// Removes the entries' jumps if nothing else has. It has no line for the report: an applied update leaves no gate.
UndoStep way_back(const Transaction& transaction) {
  UndoStep step;
  step.undo = [&transaction] {
    if (const std::shared_ptr<ForcedQuiescence> forced = find_forced(transaction)) take_away_of(transaction, *forced);
  };
  return step;
}

}  // namespace

}  // namespace moult::internal

namespace moult {

using internal::ForcedQuiescence;

void setup_force_quiescence(const std::vector<AnyFunction>& functions, const Patience& patience) {
  internal::Transaction& transaction = internal::transaction_of_the_step();
  if (internal::find_forced(transaction) != nullptr)
    throw Error(ErrorCode::invalid_argument,
                "an update has set up forced quiescence twice; give all functions to one setup_force_quiescence");
  auto forced = std::make_shared<ForcedQuiescence>(functions);
  transaction.add(internal::way_back(transaction));
  internal::all_forced().with([&](auto& all) { all.emplace(&transaction, forced); });
  try {
    forced->close(patience);
  } catch (...) {
    internal::forget(transaction);
    throw;
  }
}

bool wait_force_quiescence(const Patience& patience) {
  const std::shared_ptr<ForcedQuiescence> forced = internal::forced_of_the_step();
  const bool is_quiescent = forced->wait(patience);
  if (is_quiescent)
    internal::open_at_resume(forced);
  else
    forced->open();
  return is_quiescent;
}

bool check_force_quiescence(const Patience& patience) {
  const std::shared_ptr<ForcedQuiescence> forced = internal::forced_of_the_step();
  const bool is_quiescent = forced->check(patience);
  if (is_quiescent) internal::open_at_resume(forced);
  return is_quiescent;
}

void clean_force_quiescence() {
  internal::Transaction& transaction = internal::transaction_of_the_step();
  const std::shared_ptr<ForcedQuiescence> forced = internal::find_forced(transaction);
  if (forced == nullptr) return;
  forced->open();
  internal::in_stopped_world({}, [&](const internal::StoppedWorld&) { internal::take_away_of(transaction, *forced); });
  transaction.after_resume([forced] { forced->finish(); });
}

void clean_failed_force_quiescence() noexcept {
  try {
    clean_force_quiescence();
  } catch (const std::exception&) {
    // The entries are open; the transaction's step removes the jumps.
  }
}

}  // namespace moult
