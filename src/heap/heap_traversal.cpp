// Problem: a walker was compiled with its own definition of a class. Given objects with another layout, it would write
// anywhere.
//
// Approach: the class's name and its layout, member by member, must agree in the debug information of the walker's
// module and of every other module that defines it. Only then is the walk planned. In the stop the walk finds all
// objects first and visits them afterwards, so a visit cannot mislead the walk. Pending objects are converted before
// the walk: its accesses would convert them one slab range after the other.
//
// Limits: only the walker knows what it changes. In the stop its undo functions revert it; later nothing can.
#include "heap/heap_traversal.hpp"

#include <algorithm>
#include <utility>

#include "convert/lazy_conversion.hpp"
#include "heap/heap_walk.hpp"
#include "moult/error.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/heap_plan.hpp"
#include "symbols/layout_comparison.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

using detail::HeapVisitor;

std::string place_of(const ClassLayout& layout) {
  return layout.module + " (" + layout.place.file + ":" + std::to_string(layout.place.line) + ")";
}

/// Throws Error unless the module at `place` and all others agree on the class.
void require_same_layout(const Program& program, const ClassName& name, const HeapVisitor& visitor,
                         const std::vector<std::size_t>& roots) {
  const std::optional<std::size_t> own =
      program.module_at(CodeAddress{reinterpret_cast<std::uintptr_t>(visitor.place)});
  const std::string own_path = own ? program.modules()[*own].path : std::string();
  const bool is_of_program = own && (*own == 0 || std::find(roots.begin(), roots.end(), *own) != roots.end());
  const std::vector<ClassLayout> layouts = class_layouts(program, name);
  const auto known = std::find_if(layouts.begin(), layouts.end(),
                                  [&](const ClassLayout& layout) { return layout.module == own_path; });
  const bool is_elsewhere =
      std::any_of(layouts.begin(), layouts.end(), [&](const ClassLayout& layout) { return layout.module != own_path; });
  if (is_of_program ? known == layouts.end() : !is_elsewhere)
    throw Error(ErrorCode::not_found, name.text() +
                                          ": no debug information of the program defines this class; compile what "
                                          "defines it with -g, outside of functions");
  if (known == layouts.end())
    throw Error(ErrorCode::not_found,
                name.text() + ": no debug information of " + own_path +
                    " defines this class, so that it is not known whether the walker and the "
                    "program mean the same; compile the walker with -g (and -femit-class-debug-always, or with "
                    "clang -fstandalone-debug)");
  for (const ClassLayout& layout : layouts) {
    const LayoutComparison comparison = compare_layouts(layout, *known);
    if (comparison.verdict != LayoutVerdict::identical)
      throw Error(ErrorCode::layout_mismatch, name.text() + ": is laid out one way in " + place_of(layout) +
                                                  " and another way for the walker, in " + place_of(*known) + ":\n" +
                                                  describe(comparison) +
                                                  "\nbuild the walker with the program's headers and flags");
  }
}

}  // namespace

struct HeapVisits::State {
  void sort_visitors(const HeapWalker& walker);
  std::vector<bool> may_change() const;
  void note_unreached();
  void visit_all(HeapWalk& walk);
  void undo() noexcept;
  UndoStep undo_step(const std::shared_ptr<State>& self, const HeapSummary& summary) const;

  std::vector<WantedClass> classes;
  std::vector<std::vector<HeapVisitor>> visitors;  ///< of each class
  HeapPlan plan;
  std::vector<FunctionExtent> quiescent;
  std::vector<std::pair<const HeapVisitor*, void*>> visited;  ///< with an undo function
  bool changes = false;
  bool has_ended = false;  ///< the visits' stop is over
};

void HeapVisits::State::sort_visitors(const HeapWalker& walker) {
  for (const HeapVisitor& visitor : walker.visitors()) {
    const ClassName name(*visitor.type);
    auto known = std::find_if(classes.begin(), classes.end(), [&](const WantedClass& one) { return one.name == name; });
    if (known == classes.end()) {
      known = classes.insert(known, {name, visitor.size, visitor.alignment});
      visitors.emplace_back();
    }
    visitors[static_cast<std::size_t>(known - classes.begin())].push_back(visitor);
    changes = changes || visitor.may_change;
  }
  if (classes.empty())
    throw Error(ErrorCode::invalid_argument, "the walker looks for nothing; say on<T>(function) in its constructor");
}

std::vector<bool> HeapVisits::State::may_change() const {
  std::vector<bool> result;
  for (const std::vector<HeapVisitor>& each : visitors)
    result.push_back(std::any_of(each.begin(), each.end(), [](const HeapVisitor& one) { return one.may_change; }));
  return result;
}

/// Notes classes that no variable leads to: the walker may have expected some.
void HeapVisits::State::note_unreached() {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const bool is_reached =
        std::any_of(plan.types.begin(), plan.types.end(), [&](const HeapType& type) { return type.wanted == i; });
    if (!is_reached)
      plan.not_followed.push_back({"wanted classes that no variable leads to", 1, classes[i].name.text()});
  }
}

void HeapVisits::State::visit_all(HeapWalk& walk) {
  for (const FoundObject& found : walk.found())
    for (const HeapVisitor& visitor : visitors[found.wanted]) {
      visitor.visit(found.object, walk.path_of(found));
      if (visitor.undo) visited.emplace_back(&visitor, found.object);
    }
}

void HeapVisits::State::undo() noexcept {
  for (; !visited.empty(); visited.pop_back()) visited.back().first->undo(visited.back().second);
}

UndoStep HeapVisits::State::undo_step(const std::shared_ptr<State>& self, const HeapSummary& summary) const {
  UndoStep step;
  step.what = {std::to_string(summary.visited) + " objects visited: " + [&] {
    std::string names;
    for (const WantedClass& one : classes) names += (names.empty() ? "" : ", ") + one.name.text();
    return names;
  }()};
  step.check = [self] {
    if (self->has_ended)
      throw Error(ErrorCode::unsupported,
                  "what a heap walker changed in objects of " + self->classes.front().name.text() +
                      " cannot be undone once the program has gone on; let another update change it back");
  };
  step.undo = [self] { self->undo(); };
  return step;
}

HeapVisits HeapVisits::prepare(const HeapWalker& walker, const HeapTraversal& options) {
  std::shared_ptr<State> state = std::make_shared<State>();
  state->sort_visitors(walker);
  finish_lazy_conversions();  // mostly while the program runs
  const Program program = Program::of_this_process();
  const std::vector<std::size_t> modules = find_modules(program, options.modules);
  for (std::size_t i = 0; i < state->classes.size(); ++i)
    for (const HeapVisitor& visitor : state->visitors[i])
      require_same_layout(program, state->classes[i].name, visitor, modules);
  state->plan = plan_heap_walk(program, {modules, state->classes, options.raw_pointers == RawPointers::followed});
  state->note_unreached();
  for (const AnyFunction& function : options.quiescent)
    for (FunctionExtent& extent : extents_of_versions(program, function)) state->quiescent.push_back(std::move(extent));
  return HeapVisits(std::move(state));
}

HeapVisits::HeapVisits(std::shared_ptr<State> state) : state_(std::move(state)) {}
HeapVisits::HeapVisits(HeapVisits&&) noexcept = default;
HeapVisits& HeapVisits::operator=(HeapVisits&&) noexcept = default;
HeapVisits::~HeapVisits() = default;

std::span<const FunctionExtent> HeapVisits::quiescent() const noexcept { return state_->quiescent; }

HeapSummary HeapVisits::commit(const StoppedWorld& stopped, Transaction* transaction) {
  require_quiescence(stopped, state_->quiescent);
  finish_lazy_conversions(stopped);
  HeapWalk walk(state_->plan, state_->may_change(), stopped);
  walk.run();
  HeapSummary summary;
  summary.visited = walk.found().size();
  for (const HeapNote& note : state_->plan.not_followed)
    summary.not_followed.push_back({note.what, note.count, note.first});
  summary.skipped = walk.oddities();
  if (transaction != nullptr && state_->changes) {
    transaction->before_resume([state = state_] {
      state->visited.clear();
      state->has_ended = true;
    });
    transaction->add(state_->undo_step(state_, summary));
  }
  try {
    state_->visit_all(walk);
  } catch (...) {
    if (transaction == nullptr) state_->undo();
    throw;
  }
  return summary;
}

}  // namespace moult::internal

namespace moult {
namespace {

void add_remarks(std::string& text, const char* beginning, const std::vector<HeapRemark>& remarks) {
  for (std::size_t i = 0; i < remarks.size(); ++i)
    text += (i == 0 ? beginning : ", ") + std::to_string(remarks[i].count) + " " + remarks[i].what + " (first " +
            remarks[i].first + ")";
}

}  // namespace

std::string HeapSummary::text() const {
  std::string text = std::to_string(visited) + " objects visited";
  add_remarks(text, "; not followed: ", not_followed);
  add_remarks(text, "; skipped: ", skipped);
  return text;
}

HeapSummary traverse_heap(HeapWalker& walker, const HeapTraversal& options) {
  internal::require_short_walk("traverse_heap", "use moult::HeapTraversalUpdate, which reads in prepare");
  internal::HeapVisits visits = internal::HeapVisits::prepare(walker, options);
  HeapSummary summary;
  internal::in_stopped_world({.timeout = options.timeout, .keep_out = {}}, [&](const internal::StoppedWorld& stopped) {
    summary = visits.commit(stopped, internal::Transaction::current());
  });
  return summary;
}

}  // namespace moult
