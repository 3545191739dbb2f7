// Why: a class is more than its functions. Its constructors, methods and operators must change together, and code that
// stays (what takes a Data*) goes on reading objects as the old class laid them out, while new ones are of the new
// class.
//
// How: everything is decided before anything is touched. The layouts are compared; the old class's code is matched with
// the new one's, entry by entry; the debug information is asked which functions use the class. Layouts that are alike
// need nothing more. Fields appended behind the old ones need room: a slot with a reserve, and no code that stays may
// depend on the size (a variable, a member, an array of the class). Any other change needs every function that uses
// the class to be among those replaced. Then the change is one of functions (function_change.hpp). Constructors bring
// the new vtable along: they store its address into the objects they make. Old objects keep the old vtable, whose
// functions are redirected at their entries. So a class gets a new virtual function only where no object lives that
// would lack it.
//
// A class that is redefined already. Code that knows Data makes and uses objects of Data_v2 then: so when Data_v2 is
// made a third class, the uses of Data are uses of it, but for the functions that are redirected, and it has no more
// room than Data has. When Data itself is redefined again, its objects are of Data_v2, and that layout is the one to go
// on from. What of earlier updates counts as code that stays says loaded_updates.cpp.
//
// Limits: what class_uses.hpp does not see. An object that exists is not converted here: the new functions see it as it
// was, with whatever the reserve holds behind it.
#include "classes/class_change.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <span>
#include <utility>

#include "base/fault.hpp"
#include "base/warning.hpp"
#include "classes/class_history.hpp"
#include "classes/class_pair.hpp"
#include "classes/loaded_updates.hpp"
#include "code/patch.hpp"
#include "functions/refusals.hpp"
#include "moult/error.hpp"
#include "symbols/class_names.hpp"
#include "symbols/class_uses.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_listed = 20;

AnyFunction function_of(const MemberCode& code) {
  return {reinterpret_cast<const void*>(value(code.symbol.range.begin)), code.symbol.demangled};
}

std::vector<FunctionPair> pairs_of(const MemberMatch& match, const ClassRequest& request) {
  std::vector<FunctionPair> pairs;
  for (const MemberPair& pair : match.pairs) pairs.emplace_back(function_of(pair.old), function_of(pair.replacement));
  pairs.insert(pairs.end(), request.also.begin(), request.also.end());
  return pairs;
}

std::string at_place(const SourceLine& place) {
  return place.line == 0 ? std::string() : " at " + place.file + ":" + std::to_string(place.line);
}

/// A line each, the first ones.
std::string list(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), most_listed); ++i) text += "\n  " + lines[i];
  if (lines.size() > most_listed) text += "\n  and " + std::to_string(lines.size() - most_listed) + " more";
  return text;
}

/// The slots that the table of a class has from its bases, as far as these are described.
void add_inherited_slots(const Program& program, const ClassLayout& of, std::set<std::uint64_t>& slots, int depth = 0) {
  constexpr int deepest = 30;
  for (const ClassBase& base : of.bases) {
    if (depth > deepest || base.type.empty()) continue;
    for (const ClassLayout& layout : class_layouts(program, ClassName(base.type))) {
      for (const MemberFunction& function : layout.functions)
        if (function.slot) slots.insert(*function.slot);
      add_inherited_slots(program, layout, slots, depth + 1);
    }
  }
}

/// Whether tables of the old class lack virtual functions of the new one. An override takes a slot that they have.
bool adds_slots(const Program& program, const ClassPair& classes, const LayoutComparison& layout) {
  const auto is_added = [](const LayoutDifference& difference) {
    return difference.kind == DifferenceKind::function_added;
  };
  if (std::none_of(layout.differences.begin(), layout.differences.end(), is_added)) return false;
  std::set<std::uint64_t> inherited;
  add_inherited_slots(program, classes.old.layout, inherited);
  return std::any_of(layout.differences.begin(), layout.differences.end(), [&](const LayoutDifference& difference) {
    return is_added(difference) && (!difference.slot || !inherited.contains(*difference.slot));
  });
}

/// What the change does to code that stays.
class StayingCode final {
 public:
  StayingCode(const ClassPair& classes, const ClassRequest& request, const MemberMatch& match, const ClassUses& uses,
              std::span<const RedefinedClass> before, bool adds_slots)
      : classes_(classes), request_(request), uses_(uses), before_(before), adds_slots_(adds_slots) {
    for (const FunctionPair& pair : pairs_of(match, request))
      replaced_.insert(CodeAddress{reinterpret_cast<std::uintptr_t>(pair.first.address())});
    for (const MemberCode& code : classes.replacement.code) replaced_.insert(code.symbol.range.begin);
    for (const MemberCode& code : classes.old.code) has_code_.insert(code.symbol.demangled);
  }

  void check(const LayoutComparison& layout, Refusals& refusals) const {
    check_room(refusals);
    if (layout.verdict == LayoutVerdict::incompatible) {
      warn_of_variables();
      check_uses(layout, Reach::layout, refusals);
    }
    // Without slots nobody but the code that makes the objects knows what room they have.
    if (layout.verdict == LayoutVerdict::append_only && grows(layout))
      check_uses(layout, request_.slot_size ? Reach::size : Reach::layout, refusals);
    else if (layout.verdict == LayoutVerdict::append_only && adds_slots_)
      check_uses(layout, Reach::size, refusals);
    if (adds_slots_ && !request_.slot_size) refuse_new_virtual_functions(layout, refusals);
    if (request_.unmatched == ClassRequest::Unmatched::refused) check_copies(refusals);
  }

 private:
  static bool grows(const LayoutComparison& layout) {
    return std::any_of(layout.differences.begin(), layout.differences.end(), [](const LayoutDifference& difference) {
      return difference.kind == DifferenceKind::field_added || difference.kind == DifferenceKind::resized;
    });
  }

  /// Objects that exist have a table without these functions. Where they are in no pool, nobody knows of them.
  void refuse_new_virtual_functions(const LayoutComparison& layout, Refusals& refusals) const {
    refusals.add(ErrorCode::layout_mismatch,
                 request_.old_class.text() + " as " + request_.replacement_class.text() + ":\n" + describe(layout) +
                     "\nobjects that live keep a table without the new virtual function, and in no pool they are not "
                     "found; make it non-virtual, or build the program with a pool "
                     "(moult::Updatable<" +
                     request_.old_class.text() + ">)");
  }

  void check_room(Refusals& refusals) const {
    const std::string& old = request_.old_class.text();
    const std::string& replacement = request_.replacement_class.text();
    if (request_.slot_size && classes_.replacement.layout.size > *request_.slot_size)
      refusals.add(ErrorCode::layout_mismatch, narrow_slots());
    if (request_.replacement_alignment > request_.slot_alignment)
      refusals.add(ErrorCode::layout_mismatch, replacement + ": an object has to lie at a multiple of " +
                                                   std::to_string(request_.replacement_alignment) +
                                                   " bytes and those of " + old + " lie at multiples of " +
                                                   std::to_string(request_.slot_alignment) +
                                                   "; build the program with a reserve or align " + old);
  }

  /// Of the class and its earlier versions, the one whose slots are the smallest.
  std::string narrow_slots() const {
    const std::size_t size = classes_.replacement.layout.size;
    const std::string* name = &request_.old_class.text();
    const SourceLine* place = &classes_.old.layout.place;
    std::size_t old_size = classes_.old.layout.size;
    for (const RedefinedClass& each : before_) {
      if (each.slot_size != request_.slot_size) continue;
      name = &each.old_class.text();
      place = &each.old_place;
      old_size = each.old_size;
    }
    return request_.replacement_class.text() + ": an object needs " + std::to_string(size) +
           " bytes and the slots of " + *name + " have " + std::to_string(*request_.slot_size) + "; give " + *name +
           at_place(*place) + " a reserve of " + std::to_string(size - old_size) +
           " bytes for the next start of the program (moult::Updatable<" + *name + ", " +
           std::to_string(size - old_size) +
           ">), or keep the new fields beside the objects (moult::add_field_to_class)";
  }

  void check_uses(const LayoutComparison& layout, Reach least, Refusals& refusals) const {
    std::vector<std::string> lines = uses_.problems;
    for (const ClassVariable& variable : uses_.variables)
      if (variable.reach == Reach::size)
        lines.push_back(variable.name + at_place(variable.place) + ", a static object that holds a " +
                        request_.old_class.text());
    const std::size_t others = lines.size();
    for (const ClassUse& use : uses_.functions)
      if (use.reach >= least && !replaced_.contains(use.code.begin))
        lines.push_back(use.function + at_place(use.place));
    if (lines.empty()) return;
    const bool is_growth = layout.verdict == LayoutVerdict::append_only;
    refusals.add(
        ErrorCode::layout_mismatch,
        request_.old_class.text() + " as " + request_.replacement_class.text() + ":\n" + describe(layout) + "\n" +
            (is_growth && !request_.slot_size ? "its objects are in no pool, so these uses do not allow it to grow:"
             : is_growth                      ? "these uses depend on its size:"
                                              : "these uses depend on its layout:") +
            list(lines) + "\n" +
            (lines.size() > others ? "redefine these functions in the same update" : "they cannot be changed") +
            (is_growth ? "" : ", or leave the old fields as they are and append new ones behind them"));
  }

  /// Which functions use a variable is not written down.
  void warn_of_variables() const {
    for (const ClassVariable& variable : uses_.variables)
      if (variable.reach == Reach::layout)
        warn(variable.name + at_place(variable.place) + " leads to objects of " + request_.old_class.text() +
             "; a function that reaches them by nothing else is not listed: see that it is redefined too");
  }

  /// Functions of the class that exist as copies only have no entry to redirect.
  void check_copies(Refusals& refusals) const {
    std::vector<std::string> lines;
    for (const MemberCopy& copy : uses_.copies)
      if (!has_code_.contains(copy.member) && !replaced_.contains(copy.caller_code.begin))
        lines.push_back(copy.member + ": inlined" + at_place(copy.place) + " (" + copy.caller + ")");
    if (lines.empty()) return;
    refusals.add(ErrorCode::inlined, request_.old_class.text() +
                                         ": these functions have no code of their own:" + list(lines) +
                                         "\nmark them MOULT_UPDATABLE and build again, or redefine their callers too");
  }

  const ClassPair& classes_;
  const ClassRequest& request_;
  const ClassUses& uses_;
  std::span<const RedefinedClass> before_;
  bool adds_slots_;
  std::set<CodeAddress> replaced_;
  std::set<std::string> has_code_;
};

ErrorCode code_for(WhyUnmatched why) {
  switch (why) {
    case WhyUnmatched::missing:
    case WhyUnmatched::without_code: return ErrorCode::not_found;
    case WhyUnmatched::other_signature: return ErrorCode::signature_mismatch;
    case WhyUnmatched::shared_code: return ErrorCode::unsupported_code;
  }
  return ErrorCode::unsupported;
}

void check_members(const MemberMatch& match, const ClassRequest& request, Refusals& refusals) {
  for (const UnmatchedMember& member : match.unmatched) {
    const bool is_kept = request.unmatched == ClassRequest::Unmatched::kept && member.why != WhyUnmatched::shared_code;
    if (is_kept)
      warn(member.text + "; it stays as it is");
    else
      refusals.add(code_for(member.why), member.text);
  }
}

void require_unrelated(const ClassPair& classes) {
  for (const ClassBase& base : classes.replacement.layout.bases)
    if (base.type == classes.old.layout.name.text())
      throw Error(ErrorCode::invalid_argument,
                  classes.replacement.layout.name.text() + ": derives from " + base.type +
                      ", whose constructor would call itself once it is redefined; write the class without that base");
}

CodeAddress place_of(const ClassRequest& request) {
  return CodeAddress{reinterpret_cast<std::uintptr_t>(request.replacement_place)};
}

/// Objects of the class are also made by code that knows it by an earlier name, in the room that those had.
ClassRequest narrowed(ClassRequest request, std::span<const RedefinedClass> before) {
  for (const RedefinedClass& each : before)
    request.slot_size = request.slot_size && each.slot_size
                            ? std::optional(std::min(*request.slot_size, *each.slot_size))
                            : std::nullopt;
  return request;
}

/// Those of the class, and those of what was redefined as it, by code that calls come to.
ClassUses find_uses(const Program& program, const LoadedUpdates& updates, const ClassRequest& request,
                    const ClassPair& classes, const std::vector<RedefinedClass>& before) {
  const std::size_t* const replacement = classes.replacement_module ? &*classes.replacement_module : nullptr;
  ClassUses uses = internal::class_uses(program, request.old_class, classes.replacement_module);
  updates.strike_unreachable(uses, replacement);
  if (before.empty()) return uses;
  std::set<CodeAddress> redirected;
  for (const AppliedChange& change : applied_changes()) redirected.insert(change.function);
  for (const RedefinedClass& each : before) {
    ClassUses earlier = internal::class_uses(program, each.old_class, classes.replacement_module);
    updates.strike_unreachable(earlier, replacement);
    for (ClassUse& use : earlier.functions)
      if (!redirected.contains(use.code.begin)) uses.functions.push_back(std::move(use));
    std::move(earlier.variables.begin(), earlier.variables.end(), std::back_inserter(uses.variables));
    std::move(earlier.problems.begin(), earlier.problems.end(), std::back_inserter(uses.problems));
  }
  return uses;
}

/// Objects that an earlier redefinition has made are of its class, and no conversion of the old class finds them.
void check_successors(const ClassRequest& request, const ClassPair& classes, Refusals& refusals) {
  for (const RedefinedClass& each : successors_of(request.old_class)) {
    const LayoutComparison from = compare_layouts(each.replacement, classes.replacement.layout);
    const LayoutComparison back = compare_layouts(classes.replacement.layout, each.replacement);
    const bool is_alike = from.verdict == LayoutVerdict::identical;
    const bool is_longer = from.verdict == LayoutVerdict::append_only || back.verdict == LayoutVerdict::append_only;
    if (is_alike || (is_longer && request.objects == ClassRequest::Objects::stay)) continue;
    refusals.add(ErrorCode::layout_mismatch,
                 request.old_class.text() + ": it is redefined as " + each.replacement.name.text() +
                     " already, and objects are laid out as that:\n" + describe(from) + "\n" +
                     (each.replacement.name == request.replacement_class
                          ? "give the new class another name, and change " + each.replacement.name.text() + " into that"
                          : "change " + each.replacement.name.text() + " into " + request.replacement_class.text()) +
                     ", or roll back the update that did that first");
  }
}

/// The one for complete objects, or that for base objects, which does the same without virtual bases.
const FunctionSymbol* destructor_of(const MemberMatch& match) {
  const FunctionSymbol* found = nullptr;
  for (const MemberPair& pair : match.pairs) {
    const MemberCode& old = pair.old;
    if (old.symbol.demangled.find("::~") == std::string::npos || old.variant == '0') continue;
    if (found == nullptr || old.variant == '1') found = &old.symbol;
  }
  return found;
}

Destructor find_old_destructor(const Program& program, const ClassRequest& request, const MemberMatch& match) {
  const FunctionSymbol* const destructor = destructor_of(match);
  if (destructor == nullptr)
    throw Error(ErrorCode::unsupported,
                request.old_class.text() +
                    ": its destructor has to run for old values when the class is redefined already, and has no code "
                    "of its own; mark it MOULT_UPDATABLE and build again, convert eagerly, or do not rebind");
  std::set<CodeAddress> redefined;
  for (const FunctionPair& pair : pairs_of(match, request))
    redefined.insert(CodeAddress{reinterpret_cast<std::uintptr_t>(pair.first.address())});
  return permanent_destructor(program, *destructor, request.old_class, redefined);
}

}  // namespace

namespace {

/// In a stop, the class's debug information is not read but where there is little of it.
void require_short_reading(const Program& program, const ClassRequest& request) {
  const bool is_conversion = request.objects == ClassRequest::Objects::converted;
  internal::require_short_reading(
      "redefining " + request.old_class.text(),
      is_conversion ? "use moult::EagerConversionUpdate or moult::LazyConversionUpdate, which read before the stop"
                    : "call moult::prepare_redefinition in prepare, and make() of its result in apply",
      [&] { return program.debug_info_size(request.old_class); });
}

}  // namespace

struct ClassChange::State {
  Destructor old_destructor = nullptr;
  LayoutComparison layout;
  std::size_t old_size = 0;
  std::size_t replacement_size = 0;
  bool adds_slots = false;
  std::vector<std::string> added;
  std::optional<FunctionChange> functions;
  RedefinedClass redefined;
};

ClassChange::ClassChange(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClassChange::ClassChange(ClassChange&&) noexcept = default;
ClassChange& ClassChange::operator=(ClassChange&&) noexcept = default;
ClassChange::~ClassChange() = default;

ClassChange ClassChange::prepare(const ClassRequest& wanted) {
  MOULT_FAULT("classes.class.symbols");
  auto state = std::make_unique<State>();
  const Program program = Program::of_this_process();
  require_short_reading(program, wanted);
  LoadedUpdates updates(program);
  const std::vector<RedefinedClass> before = predecessors_of(wanted.old_class);
  const ClassRequest request = narrowed(wanted, before);
  const ClassPair classes = find_class_pair(program, updates, request);
  require_unrelated(classes);
  const std::optional<std::size_t> at_hand = program.module_at(place_of(request));
  if (at_hand && !classes.replacement_module) updates.count_all_of(*at_hand);
  MemberMatch match = match_members(classes.old, classes.replacement);
  state->layout = compare_layouts(classes.old.layout, classes.replacement.layout);
  state->old_size = classes.old.layout.size;
  state->replacement_size = classes.replacement.layout.size;
  state->redefined = {request.old_class, classes.replacement.layout, state->old_size, classes.old.layout.place,
                      request.slot_size};
  state->added = std::move(match.added);

  Refusals refusals;
  check_successors(request, classes, refusals);
  const ClassUses uses = find_uses(program, updates, request, classes, before);
  state->adds_slots = adds_slots(program, classes, state->layout);
  StayingCode(classes, request, match, uses, before, state->adds_slots).check(state->layout, refusals);
  check_members(match, request, refusals);
  MOULT_FAULT("classes.class.decided");
  const std::vector<FunctionPair> pairs = pairs_of(match, request);
  const bool keeps_copies = request.unmatched == ClassRequest::Unmatched::kept;
  try {
    state->functions = FunctionChange::prepare(pairs, keeps_copies ? Copies::kept : Copies::refused);
    if (request.ends_later) state->old_destructor = find_old_destructor(program, request, match);
  } catch (const Error& error) {
    refusals.add(error);
  }
  refusals.throw_if_any();
  return ClassChange(std::move(state));
}

const LayoutComparison& ClassChange::layout() const noexcept { return state_->layout; }
std::size_t ClassChange::old_size() const noexcept { return state_->old_size; }
std::size_t ClassChange::replacement_size() const noexcept { return state_->replacement_size; }
bool ClassChange::adds_virtual_functions() const noexcept { return state_->adds_slots; }
const std::vector<std::string>& ClassChange::added_functions() const noexcept { return state_->added; }

Destructor ClassChange::old_destructor() const noexcept { return state_->old_destructor; }
const FunctionChange& ClassChange::functions() const noexcept { return *state_->functions; }
std::span<const FunctionExtent> ClassChange::old_functions() const noexcept {
  return state_->functions->old_functions();
}
std::span<const CodeRange> ClassChange::keep_out() const noexcept { return state_->functions->keep_out(); }
void ClassChange::require_clear(const StoppedWorld& stopped) const { state_->functions->require_clear(stopped); }
void ClassChange::commit(const StoppedWorld& stopped, Transaction* transaction) {
  const std::uint64_t noted = note_redefined(state_->redefined, transaction);
  try {
    state_->functions->commit(stopped, transaction);
  } catch (...) {
    if (transaction == nullptr) forget_redefined(noted);
    throw;
  }
}
void ClassChange::finish() noexcept { state_->functions->finish(); }
const std::vector<std::string>& ClassChange::lines() const noexcept { return state_->functions->lines(); }

}  // namespace moult::internal
