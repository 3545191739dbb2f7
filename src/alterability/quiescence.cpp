#include "alterability/quiescence.hpp"

#include <algorithm>
#include <string>
#include <typeinfo>
#include <utility>

#include "base/fault.hpp"
#include "code/own_calls.hpp"
#include "code/patch.hpp"
#include "code/way_out.hpp"
#include "moult/error.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/class_uses.hpp"
#include "threads/current_stop.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_frames_named = 8;

bool is_wanted(const std::vector<ThreadId>& threads, ThreadId thread) {
  return threads.empty() || std::find(threads.begin(), threads.end(), thread) != threads.end();
}

/// One stop. Nothing: no function is active, and the program stays stopped. Otherwise the program runs again.
std::optional<Activity> probe(Transaction& transaction, std::span<const FunctionExtent> functions,
                              std::span<const CodeRange> code, milliseconds stop_timeout,
                              const std::vector<ThreadId>& threads) {
  if (const StoppedWorld* stopped = internal::current_stop()) {
    std::optional<Activity> activity = find_activity(*stopped, functions, code, threads);
    if (activity) transaction.resume();
    return activity;
  }
  MOULT_FAULT("alterability.probe.stop");
  std::unique_ptr<StoppedWorld> stopped = StoppedWorld::stop({.timeout = stop_timeout, .keep_out = {}});
  MOULT_FAULT("alterability.probe.look");
  std::optional<Activity> activity = find_activity(*stopped, functions, code, threads);
  transaction.hold(std::move(stopped));
  if (activity) transaction.resume();
  return activity;
}

/// The extent of code in an update. Its file may be gone by now, or not readable for this user; the code and its unwind
/// table are still in memory. They do not tell of fragments.
FunctionExtent extent_in_update(const Program& program, CodeAddress code, const std::string& name,
                                const std::string& role) {
  if (!program.at(code)) {
    if (std::optional<CodeRange> range = unwind_entry_at(code)) return {name, {*range}};
  }
  FunctionExtent extent = extent_of(program, AnyFunction(reinterpret_cast<const void*>(value(code)), name));
  extent.name += role;
  return extent;
}

bool is_endless(const Program& program, CodeAddress code) {
  const std::optional<FunctionSymbol> function = program.at(code);
  if (!function) return false;
  std::vector<CodeRange> ranges = function->fragments;
  ranges.push_back(function->range);
  return !may_return(ranges);
}

}  // namespace

Transaction& transaction_of_the_step() {
  Transaction* transaction = Transaction::current();
  if (transaction == nullptr)
    throw Error(ErrorCode::invalid_argument,
                "quiescence is checked or waited for outside of an update's step; nobody would resume the program");
  return *transaction;
}

bool FunctionExtent::contains(CodeAddress address) const noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [address](const CodeRange& range) { return range.contains(address); });
}

FunctionExtent extent_of(const Program& program, const AnyFunction& function) {
  MOULT_FAULT("alterability.extent.find");
  CodeAddress address{reinterpret_cast<std::uintptr_t>(function.address())};
  std::optional<FunctionSymbol> symbol = program.at(address);
  if (!symbol)
    throw Error(ErrorCode::not_found, (function.name().empty() ? "a function" : function.name()) +
                                          ": there is no symbol and no unwind information for its address; "
                                          "build it with symbols");
  FunctionExtent extent{symbol->demangled.empty() ? function.name() : symbol->demangled, symbol->fragments};
  extent.ranges.insert(extent.ranges.begin(), symbol->range);
  return extent;
}

std::vector<FunctionExtent> extents_of_versions(const Program& program, const AnyFunction& function) {
  std::vector<FunctionExtent> extents{extent_of(program, function)};
  const std::string name = extents.front().name;
  for (const Version& version : versions_of(extents.front().ranges.front().begin)) {
    FunctionExtent extent = extent_in_update(program, version.function, "the new version of " + name,
                                             ", which " + name + " was redefined as,");
    if (version.way.size() > 0) extent.ranges.push_back(version.way);
    extents.push_back(std::move(extent));
  }
  for (const CodeAddress copy : own_copies_of(extents.front().ranges.front().begin))
    extents.push_back(extent_in_update(program, copy, "an update's copy of " + name, ", an update's copy of it,"));
  return extents;
}

std::vector<FunctionExtent> extents_of_versions(const std::vector<AnyFunction>& functions) {
  Program program = Program::of_this_process();
  std::vector<FunctionExtent> extents;
  for (const AnyFunction& function : functions)
    for (FunctionExtent& extent : extents_of_versions(program, function)) extents.push_back(std::move(extent));
  return extents;
}

std::vector<CodeRange> code_of(std::span<const FunctionExtent> functions) {
  std::vector<CodeRange> ranges;
  for (const FunctionExtent& function : functions)
    ranges.insert(ranges.end(), function.ranges.begin(), function.ranges.end());
  std::sort(ranges.begin(), ranges.end());
  std::vector<CodeRange> merged;
  for (const CodeRange& range : ranges) {
    if (!merged.empty() && range.begin <= merged.back().end)
      merged.back().end = std::max(merged.back().end, range.end);
    else
      merged.push_back(range);
  }
  return merged;
}

std::optional<Activity> find_activity(const StoppedWorld& stopped, std::span<const FunctionExtent> functions,
                                      std::span<const CodeRange> code, const std::vector<ThreadId>& threads) {
  auto is_active = [code](CodeAddress address) {
    auto after = std::upper_bound(code.begin(), code.end(), address,
                                  [](CodeAddress wanted, const CodeRange& range) { return wanted < range.begin; });
    return after != code.begin() && std::prev(after)->contains(address);
  };
  std::optional<Activity> found;
  stopped.walk_all([&](ThreadId thread, const Frame& frame) {
    if (found && found->thread != thread) return false;
    CodeAddress address = frame.lookup_address();
    if (!found && is_wanted(threads, thread) && is_active(address)) found = Activity{thread, {}, frame.is_precise, {}};
    const bool is_shown = frame.is_precise && !is_in_return_stub(frame.pc);
    if (found && (found->frames.empty() || is_shown)) found->frames.push_back(address);
    return !found || found->frames.size() < most_frames_named;
  });
  if (!found) return found;
  for (const FunctionExtent& function : functions)
    if (function.contains(found->frames.front())) found->function = function.name;
  return found;
}

std::string explain(const Activity& activity) {
  MOULT_FAULT("alterability.probe.explain");
  std::string text = activity.function + " is active in " + describe_thread(activity.thread);
  if (!activity.is_precise) return text + ", as far as a stack without unwind information tells";
  Program program = Program::of_this_process();
  // The first frame is a call of the function, maybe in a version with another name.
  if (std::optional<SourceLine> line = program.own_line_of(activity.frames.front()))
    text += " at " + line->file + ":" + std::to_string(line->line);
  for (std::size_t i = 1; i < activity.frames.size(); ++i)
    text += ", called from " + program.describe(activity.frames[i]);
  if (is_endless(program, activity.frames.front()))
    text += std::string("; it has no return instruction: ") + way_round_endless_calls;
  return text;
}

void require_quiescence(const StoppedWorld& stopped, std::span<const FunctionExtent> functions) {
  std::optional<Activity> activity = find_activity(stopped, functions, code_of(functions), {});
  if (activity)
    throw Error(ErrorCode::still_active, activity->function + " is active in " + describe_thread(activity->thread) +
                                             "; try again when it has returned");
}

bool check_quiescence(std::span<const FunctionExtent> functions, const Patience& patience,
                      const std::vector<ThreadId>& threads) {
  Transaction& transaction = transaction_of_the_step();
  std::optional<Activity> activity = probe(transaction, functions, code_of(functions), patience.stop_timeout, threads);
  if (activity) transaction.set_reason(explain(*activity));
  return !activity;
}

bool wait_quiescence(std::span<const FunctionExtent> functions, const Patience& patience,
                     const std::vector<ThreadId>& threads) {
  Transaction& transaction = transaction_of_the_step();
  const std::vector<CodeRange> code = code_of(functions);
  return wait_until_clear(
      transaction, patience, [&] { return probe(transaction, functions, code, patience.stop_timeout, threads); },
      explain);
}

}  // namespace moult::internal

namespace moult {

bool is_function_in_any_stack(const AnyFunction& function, const std::vector<ThreadId>& threads) {
  const std::vector<internal::FunctionExtent> extents{
      internal::extent_of(internal::Program::of_this_process(), function)};
  const std::vector<internal::CodeRange> code = internal::code_of(extents);
  bool is_active = false;
  internal::in_stopped_world({}, [&](const internal::StoppedWorld& stopped) {
    is_active = internal::find_activity(stopped, extents, code, threads).has_value();
  });
  return is_active;
}

bool is_function_in_stack(const AnyFunction& function, ThreadId thread) {
  return is_function_in_any_stack(function, {thread});
}

bool check_quiescence_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience,
                                   const std::vector<ThreadId>& threads) {
  return internal::check_quiescence(internal::extents_of_versions(functions), patience, threads);
}

bool check_quiescence_of_function(const AnyFunction& function, const Patience& patience,
                                  const std::vector<ThreadId>& threads) {
  return check_quiescence_of_functions({function}, patience, threads);
}

bool wait_quiescence_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience,
                                  const std::vector<ThreadId>& threads) {
  return internal::wait_quiescence(internal::extents_of_versions(functions), patience, threads);
}

bool wait_quiescence_of_function(const AnyFunction& function, const Patience& patience,
                                 const std::vector<ThreadId>& threads) {
  return wait_quiescence_of_functions({function}, patience, threads);
}

void resume_suspended_threads() {
  if (internal::Transaction* transaction = internal::Transaction::current()) transaction->resume();
}

}  // namespace moult

namespace moult::internal {

std::vector<FunctionExtent> extents_of_class(const Program& program, const ClassName& of_class) {
  std::vector<FunctionExtent> extents;
  for (const MemberCode& code : member_code(program, of_class)) {
    FunctionExtent extent{code.symbol.demangled, code.symbol.fragments};
    extent.ranges.insert(extent.ranges.begin(), code.symbol.range);
    extents.push_back(std::move(extent));
  }
  for (MemberCopy& copy : member_copies(program, of_class))
    extents.push_back({copy.member + ", inlined into " + copy.caller + ",", std::move(copy.code)});
  if (extents.empty())
    throw Error(ErrorCode::not_found,
                of_class.text() + ": no code of its member functions is known; build it with symbols and -g");
  return extents;
}

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

bool is_class_in_any_stack(const std::type_info& type, const std::vector<ThreadId>& threads) {
  const internal::Program program = internal::Program::of_this_process();
  const internal::ClassName name(type);
  internal::require_short_reading("is_class_in_any_stack", "ask in check_alterability, before the program is stopped",
                                  [&] { return program.debug_info_size(name); });
  const std::vector<internal::FunctionExtent> extents = internal::extents_of_class(program, name);
  const std::vector<internal::CodeRange> code = internal::code_of(extents);
  bool is_active = false;
  internal::in_stopped_world({}, [&](const internal::StoppedWorld& stopped) {
    is_active = internal::find_activity(stopped, extents, code, threads).has_value();
  });
  return is_active;
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
