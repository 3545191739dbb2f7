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
#include <initializer_list>
#include <string>
#include <utility>

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

/// The part that begins at `entry` first. A clone (f.constprop.0) is a function of its own.
std::vector<CodeRange> parts_from(const FunctionSymbol& function, CodeAddress entry) {
  std::vector<CodeRange> parts = function.fragments;
  if (function.range.size() > 0) parts.push_back(function.range);
  const auto first =
      std::find_if(parts.begin(), parts.end(), [&](const CodeRange& part) { return part.begin == entry; });
  if (first == parts.end()) return {};
  if (!function.clones.empty()) return {*first};
  std::iter_swap(parts.begin(), first);
  return parts;
}

bool leaves_own_stack(MemoryUse use, const FunctionBody& body) noexcept {
  return use == MemoryUse::elsewhere || (use == MemoryUse::frame && !body.has_frame_pointer());
}

/// `lea rax, [rsp + 8]`: accesses by that register may be to the function's own stack.
bool takes_stack_address(const std::pair<const CodeAddress, Step>& each) noexcept {
  constexpr RegisterSet stack = general_register(internal::rsp) | general_register(internal::rbp);
  const RegisterUse& use = each.second.use;
  return (use.read & stack) != 0 && (use.written & call_clobbered) != 0 && use.memory_read == MemoryUse::none &&
         use.memory_written == MemoryUse::none;
}

/// What compilers know of functions of the C library.
enum class LibraryFunction { pure, ends, other };  ///< only reads; ends the program; anything else

LibraryFunction library_function(std::optional<CodeAddress> function) {
  static const auto addresses = [](std::initializer_list<const char*> names) {
    std::set<CodeAddress> found;
    for (const char* const name : names)
      if (const void* const place = ::dlsym(RTLD_DEFAULT, name))
        found.insert(CodeAddress{reinterpret_cast<std::uintptr_t>(place)});
    return found;
  };
  static const std::set<CodeAddress>& pure = *new std::set<CodeAddress>(
      addresses({"strlen", "strnlen", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "memcmp", "memchr", "strchr",
                 "strrchr", "strstr", "strspn", "strcspn", "strpbrk"}));
  static const std::set<CodeAddress>& ending = *new std::set<CodeAddress>(
      addresses({"abort", "exit", "_exit", "_Exit", "quick_exit", "__assert_fail", "__stack_chk_fail"}));
  if (!function) return LibraryFunction::other;
  if (pure.contains(*function)) return LibraryFunction::pure;
  return ending.contains(*function) ? LibraryFunction::ends : LibraryFunction::other;
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

const FunctionBody* KnownBodies::body_around(const Branch& branch) {
  const std::optional<FunctionSymbol> symbol = program_.at(branch.at);
  const FunctionBody* body = symbol ? body_at(symbol->range.begin) : nullptr;
  if (body == nullptr || !body->contains(branch.at)) body = body_at(branch.code.begin);  // a clone
  return body != nullptr && body->contains(branch.at) ? body : nullptr;
}

std::optional<CodeAddress> KnownBodies::known_callee(const FunctionBody& body, const Step& step) const {
  const std::optional<CodeAddress> target = step.instruction.target;
  if (!target || program_.module_at(*target) != program_.module_at(body.entry())) return std::nullopt;
  if (!is_readable(value(*target))) return std::nullopt;
  const std::optional<FunctionSymbol> symbol = program_.at(*target);
  const bool has_name = symbol && !symbol->mangled.empty();
  return has_name || !slot_of_stub(*target) ? target : std::nullopt;
}

std::optional<CodeAddress> KnownBodies::callee(const FunctionBody& body, const Step& step) const {
  if (const std::optional<CodeAddress> known = known_callee(body, step)) return known;
  std::optional<std::uintptr_t> slot = step.instruction.pointer;
  const std::optional<CodeAddress> target = step.instruction.target;
  if (target && program_.module_at(*target) && is_readable(value(*target))) slot = slot_of_stub(*target);
  return slot ? destination_of(*slot) : std::nullopt;
}

bool KnownBodies::is_constant(std::uintptr_t address) {
  if (!memory_) memory_ = readable_memory();
  return std::any_of(memory_->begin(), memory_->end(), [&](const MemoryRange& range) {
    return !range.is_writable && range.begin <= address && address < range.end;
  });
}

void KnownBodies::note_memory(const FunctionBody& body, const Step& step, bool takes_stack, bool takes_constant,
                              BodyFacts& facts) {
  if (step.use.is_special) facts.may_read = facts.may_write = facts.certainly_reads = facts.certainly_writes = true;
  if (leaves_own_stack(step.use.memory_written, body)) {
    facts.may_write = true;
    facts.certainly_writes |= step.rip_operand || !takes_stack;
  }
  if (leaves_own_stack(step.use.memory_read, body) && !(step.rip_operand && is_constant(*step.rip_operand))) {
    facts.may_read = true;
    facts.certainly_reads |= step.rip_operand || (!takes_stack && !takes_constant);
  }
}

void KnownBodies::note_unknown_call(const FunctionBody& body, const Step& step, BodyFacts& facts) const {
  facts.calls_unknown = facts.may_read = facts.may_write = true;
  const LibraryFunction called = library_function(callee(body, step));
  facts.certainly_reads |= called != LibraryFunction::ends;
  facts.certainly_writes |= called == LibraryFunction::other;
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
  const auto takes_constant_address = [this](const auto& each) {
    const Step& step = each.second;
    return step.is_address() && is_constant(*step.rip_operand);
  };
  const bool takes_stack = std::ranges::any_of(body->steps(), takes_stack_address);
  const bool takes_constant = std::ranges::any_of(body->steps(), takes_constant_address);
  for (const auto& [at, step] : body->steps()) {
    own.facts.written |= step.use.written & call_clobbered;
    note_memory(*body, step, takes_stack, takes_constant, own.facts);
    if (!body->leaves(step)) continue;
    if (const std::optional<CodeAddress> callee = known_callee(*body, step))
      own.callees.push_back(*callee);
    else
      note_unknown_call(*body, step, own.facts);
  }
  return own;
}

BodyFacts KnownBodies::facts_of(CodeAddress entry) {
  if (const auto known = facts_.find(entry); known != facts_.end()) return known->second;
  constexpr std::size_t most = 1000;  // of the functions to read
  BodyFacts all;
  std::set<CodeAddress> seen{entry};
  std::vector<CodeAddress> open{entry};
  while (!open.empty() && !(all.calls_unknown && all.certainly_writes)) {
    const Own& own = own_facts_of(open.back());
    open.pop_back();
    all.written |= own.facts.written;
    all.calls_unknown |= own.facts.calls_unknown;
    all.may_read |= own.facts.may_read;
    all.may_write |= own.facts.may_write;
    all.certainly_reads |= own.facts.certainly_reads;
    all.certainly_writes |= own.facts.certainly_writes;
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
  constexpr std::size_t deepest = 8;  // of calls in calls
  constexpr RegisterReads anything{.certain = 0, .possible = all_arguments()};
  if (const auto known = arguments_.find(entry); known != arguments_.end()) return known->second;
  if (!unfinished_.empty() && unfinished_.back() == entry) return {};  // it calls itself, and reads no more by that
  const bool is_unfinished = std::ranges::find(unfinished_, entry) != unfinished_.end();
  const FunctionBody* const body = body_at(entry);
  if (body == nullptr || is_unfinished || unfinished_.size() >= deepest) return anything;
  unfinished_.push_back(entry);
  RegisterReads reads = reads_from(*body, entry, call_clobbered, 0);
  unfinished_.pop_back();
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
  const std::optional<FunctionSymbol> symbol = program_.at(body.entry());
  const std::optional<ArgumentPlaces> places = symbol ? argument_places(program_, *symbol) : std::nullopt;
  defined[body.entry()] = places ? all_of(*places) : all_arguments();
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
