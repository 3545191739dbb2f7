// How: code is followed instruction by instruction along all its ways. A call of a function whose code the compiler may
// have seen counts as what that function does. Any other call may write every register that calls need not preserve.
//
// Limits: the x87 unit's registers are not looked at. Code behind a landing pad is reached only by exceptions, and a
// value in a register that calls need not preserve does not survive these.
#include "functions/known_bodies.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "code/linkage_stub.hpp"
#include "functions/arguments.hpp"

namespace moult::internal {
namespace {

constexpr RegisterSet all_arguments() noexcept {
  RegisterSet all = 0;
  for (const Register argument : argument_registers) all |= general_register(argument);
  for (unsigned i = 0; i < vector_arguments; ++i) all |= vector_register(i);
  return all;
}

constexpr RegisterSet all_results =
    general_register(rax) | general_register(rdx) | vector_register(0) | vector_register(1);

/// The arguments that a call may pass when `unwritten` were not written before it and only `kept` of these have a
/// meaning. Arguments are passed in order.
RegisterSet passed(RegisterSet unwritten, RegisterSet kept) noexcept {
  RegisterSet possible = 0;
  for (const Register argument : argument_registers) {
    const RegisterSet bit = general_register(argument);
    if ((unwritten & ~kept & bit) != 0) break;
    possible |= bit;
  }
  for (unsigned i = 0; i < vector_arguments; ++i) {
    if ((unwritten & ~kept & vector_register(i)) != 0) break;
    possible |= vector_register(i);
  }
  return possible;
}

/// The part that begins at `entry` first.
std::vector<CodeRange> parts_from(const FunctionSymbol& function, CodeAddress entry) {
  std::vector<CodeRange> parts = function.fragments;
  if (function.range.size() > 0) parts.push_back(function.range);
  const auto first =
      std::find_if(parts.begin(), parts.end(), [&](const CodeRange& part) { return part.begin == entry; });
  if (first == parts.end()) return {};
  std::iter_swap(parts.begin(), first);
  return parts;
}

bool leaves_own_stack(MemoryUse use, const FunctionBody& body) noexcept {
  return use == MemoryUse::elsewhere || (use == MemoryUse::frame && !body.has_frame_pointer());
}

}  // namespace

const FunctionBody* KnownBodies::body_at(CodeAddress entry) {
  const auto [found, is_new] = bodies_.try_emplace(entry);
  if (is_new) {
    const std::optional<FunctionSymbol> symbol = program_.at(entry);
    const std::vector<CodeRange> parts = symbol ? parts_from(*symbol, entry) : std::vector<CodeRange>();
    if (!parts.empty()) found->second = FunctionBody::read(parts);
  }
  return found->second ? &*found->second : nullptr;
}

std::optional<CodeAddress> KnownBodies::known_callee(const FunctionBody& body, const Step& step) const {
  const std::optional<CodeAddress> target = step.instruction.target;
  if (!target || program_.module_at(*target) != program_.module_at(body.entry())) return std::nullopt;
  const std::optional<FunctionSymbol> symbol = program_.at(*target);
  const bool has_name = symbol && !symbol->mangled.empty();
  return has_name || !slot_of_stub(*target) ? target : std::nullopt;
}

std::optional<CodeAddress> KnownBodies::callee(const FunctionBody& body, const Step& step) const {
  if (const std::optional<CodeAddress> known = known_callee(body, step)) return known;
  std::optional<std::uintptr_t> slot = step.instruction.pointer;
  if (step.instruction.target && program_.module_at(*step.instruction.target))
    slot = slot_of_stub(*step.instruction.target);
  if (!slot) return std::nullopt;
  const CodeAddress held = target_in(*slot);
  const std::optional<std::string_view> name = unbound_name(held);
  if (!name) return held;
  void* const bound = name->empty() ? nullptr : ::dlsym(RTLD_DEFAULT, std::string(*name).c_str());
  return bound == nullptr ? std::nullopt : std::optional(CodeAddress{reinterpret_cast<std::uintptr_t>(bound)});
}

bool KnownBodies::is_constant(const Step& step) {
  if (!step.rip_operand) return false;
  if (!memory_) memory_ = readable_memory();
  return std::any_of(memory_->begin(), memory_->end(), [&](const MemoryRange& range) {
    return !range.is_writable && range.begin <= *step.rip_operand && *step.rip_operand < range.end;
  });
}

const KnownBodies::Own& KnownBodies::own_facts_of(CodeAddress entry) {
  const auto [found, is_new] = own_.try_emplace(entry);
  Own& own = found->second;
  if (!is_new) return own;
  const FunctionBody* const body = body_at(entry);
  if (body == nullptr) {
    own.facts.is_complete = false;
    return own;
  }
  for (const auto& [at, step] : body->steps()) {
    own.facts.written |= step.use.written & call_clobbered;
    own.facts.writes_memory |= leaves_own_stack(step.use.memory_written, *body);
    own.facts.reads_memory |= leaves_own_stack(step.use.memory_read, *body) && !is_constant(step);
    own.facts.calls_unknown |= step.use.is_special;
    if (!body->leaves(step)) continue;
    if (const std::optional<CodeAddress> callee = known_callee(*body, step))
      own.callees.push_back(*callee);
    else
      own.facts.calls_unknown = true;
  }
  return own;
}

BodyFacts KnownBodies::facts_of(CodeAddress entry) {
  if (const auto known = facts_.find(entry); known != facts_.end()) return known->second;
  constexpr std::size_t most = 1000;  // of the functions to read
  BodyFacts all;
  std::set<CodeAddress> seen{entry};
  std::vector<CodeAddress> open{entry};
  while (!open.empty() && !all.calls_unknown) {
    const Own& own = own_facts_of(open.back());
    open.pop_back();
    all.written |= own.facts.written;
    all.calls_unknown |= own.facts.calls_unknown;
    all.reads_memory |= own.facts.reads_memory;
    all.writes_memory |= own.facts.writes_memory;
    all.is_complete &= own.facts.is_complete && seen.size() < most;
    if (seen.size() >= most) break;
    for (const CodeAddress callee : own.callees)
      if (seen.insert(callee).second) open.push_back(callee);
  }
  if (all.calls_unknown) all.written = call_clobbered;
  facts_.emplace(entry, all);
  return all;
}

RegisterSet KnownBodies::written_by_call(const FunctionBody& body, const Step& step) {
  const std::optional<CodeAddress> callee = known_callee(body, step);
  return callee ? facts_of(*callee).written : call_clobbered;
}

RegisterReads KnownBodies::arguments_of(CodeAddress entry) {
  constexpr int deepest = 8;  // of calls in calls
  const FunctionBody* const body = body_at(entry);
  if (body == nullptr || depth_ >= deepest) return {.certain = 0, .possible = all_arguments()};
  const auto [found, is_new] = arguments_.try_emplace(entry);  // nothing yet, for a function that calls itself
  if (!is_new) return found->second;
  ++depth_;
  RegisterReads reads = reads_from(*body, entry, call_clobbered, 0);
  --depth_;
  // A clone has other arguments than its function.
  const std::optional<FunctionSymbol> symbol = program_.at(entry);
  const bool is_itself = symbol && symbol->range.begin == entry;
  if (const std::optional<ArgumentPlaces> places = is_itself ? argument_places(program_, *symbol) : std::nullopt) {
    reads.certain &= all_of(*places);
    reads.possible &= all_of(*places);
  } else if ((reads.certain & general_register(rax)) != 0) {
    // With a variable number of arguments rax has the number of those in vector registers, and all are saved.
    reads.possible |= reads.certain;
    reads.certain = 0;
  }
  arguments_[entry] = reads;
  return reads;
}

RegisterReads KnownBodies::reads_from(const FunctionBody& body, CodeAddress from, RegisterSet kept,
                                      RegisterSet results) {
  RegisterReads reads;
  std::map<CodeAddress, RegisterSet> unwritten;  // before each instruction, on some way there
  std::vector<CodeAddress> open;
  const auto reach = [&](CodeAddress at, RegisterSet registers) {
    RegisterSet& known = unwritten[at];
    if ((registers & ~known) == 0) return;
    known |= registers;
    open.push_back(at);
  };
  if (body.contains(from)) reach(from, call_clobbered);
  while (!open.empty()) {
    const CodeAddress at = open.back();
    open.pop_back();
    const Step& step = body.steps().at(at);
    RegisterSet now = unwritten.at(at);
    reads.certain |= step.use.read & now;
    if (step.instruction.is_return) reads.certain |= results & now;
    if (body.leaves(step)) {
      const std::optional<CodeAddress> called = callee(body, step);
      const RegisterReads taken =
          called ? arguments_of(*called) : RegisterReads{.certain = 0, .possible = all_arguments()};
      reads.certain |= taken.certain & now;
      reads.possible |= taken.possible & now & passed(now, kept);
      now &= ~written_by_call(body, step);
    }
    now &= ~step.use.overwritten;
    for (const CodeAddress next : body.next(at)) reach(next, now);
  }
  reads.certain &= kept;
  reads.possible &= kept & ~reads.certain;
  return reads;
}

RegisterSet KnownBodies::defined_at(const FunctionBody& body, CodeAddress at) {
  std::map<CodeAddress, RegisterSet> defined;
  std::vector<CodeAddress> open{body.entry()};
  const RegisterReads own = arguments_of(body.entry());
  defined[body.entry()] = own.certain | own.possible;
  while (!open.empty()) {
    const CodeAddress here = open.back();
    open.pop_back();
    const Step& step = body.steps().at(here);
    RegisterSet now = defined.at(here) | step.use.written;
    if (body.leaves(step)) now = (now & ~written_by_call(body, step)) | all_results;
    for (const CodeAddress next : body.next(here)) {
      const auto [known, is_new] = defined.try_emplace(next, now);
      if (!is_new && (now & ~known->second) == 0) continue;
      known->second |= now;
      open.push_back(next);
    }
  }
  const auto found = defined.find(at);
  return found == defined.end() ? call_clobbered : found->second;
}

}  // namespace moult::internal
