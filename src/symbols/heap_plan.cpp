// Problem: most of a program's data leads nowhere near the wanted classes. A walk that knows which types do reads
// nothing else.
//
// Approach: read the graph of types (type_graph.hpp), and follow it backwards from the wanted classes. Flatten the
// members of members into one list for each class, so that no step of the walk is in vain. Then follow the types
// forwards from the variables, once for each type, and note the places that cannot be followed, with the paths to them:
// further objects may lie behind them.
//
// The linker may have copied a library's exported variable into the program, and the inline variables of several
// modules are one. The debug information gives each by the place in its own module.
//
// Limits: thread-local variables are only noted. A variable that was split or put into registers has no place.
#include "symbols/heap_plan.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/names.hpp"
#include "elf/dynamic_linking.hpp"
#include "moult/error.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/type_graph.hpp"
#include "symbols/variable_places.hpp"

namespace moult::internal {
namespace {

template <class Visit>
void for_each_next(const std::vector<HeapType>& types, const HeapType& type, Visit&& visit) {
  for (const HeapPart& part : type.parts) visit(part.type);
  if (type.target == no_type) return;
  visit(type.target);
  if (type.shape == Shape::pointer)
    for (const std::size_t derived : types[type.target].derived) visit(derived);
}

void mark_what_leads(std::vector<HeapType>& types) {
  std::vector<std::vector<std::size_t>> previous(types.size());
  std::vector<std::size_t> pending;
  for (std::size_t i = 0; i < types.size(); ++i) {
    for_each_next(types, types[i], [&](std::size_t next) { previous[next].push_back(i); });
    if (types[i].wanted) pending.push_back(i);
  }
  while (!pending.empty()) {
    const std::size_t type = pending.back();
    pending.pop_back();
    if (std::exchange(types[type].leads, true)) continue;
    for (const std::size_t one : previous[type]) pending.push_back(one);
  }
}

constexpr int deepest_part = 60;  // only damaged files nest deeper

void add_steps(const std::vector<HeapType>& types, const HeapType& type, const HeapPart& at,
               std::vector<HeapPart>& steps, int depth = 0) {
  for (const HeapPart& part : type.parts) {
    const HeapType& inner = types[part.type];
    if (!inner.leads || inner.shape == Shape::choice || depth > deepest_part) continue;
    HeapPart step{at.offset + part.offset, part.type, at.name + part.name, part.is_base};
    if (inner.shape != Shape::object || inner.wanted) steps.push_back(step);
    if (inner.shape == Shape::object) add_steps(types, inner, step, steps, depth + 1);
  }
}

void add_bases(const std::vector<HeapType>& types, std::size_t type, std::uint64_t offset, std::vector<HeapPart>& bases,
               int depth = 0) {
  bases.push_back({offset, type, {}, true});
  for (const HeapPart& part : types[type].parts)
    if (part.is_base && depth < deepest_part) add_bases(types, part.type, offset + part.offset, bases, depth + 1);
}

void finish_objects(std::vector<HeapType>& types) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    HeapType& type = types[i];
    if (type.shape != Shape::object) continue;
    if (type.leads) add_steps(types, type, {}, type.steps);
    if (type.has_vtable) add_bases(types, i, 0, type.bases);
    const bool is_of_words =
        type.has_vtable || std::any_of(type.steps.begin(), type.steps.end(),
                                       [&](const HeapPart& s) { return types[s.type].shape == Shape::pointer; });
    const bool is_packed = std::any_of(type.steps.begin(), type.steps.end(), [](const HeapPart& step) {
      return !step.is_base && step.offset % alignof(void*) != 0;
    });
    if (!type.wanted && is_of_words && !is_packed) type.alignment = alignof(void*);
  }
}

/// Notes what cannot be followed, on the way from the variables to all types.
class NoteTaker final {
 public:
  explicit NoteTaker(const std::vector<HeapType>& types) : types_(types), is_seen_(types.size()) {}

  void follow(const std::string& variable, std::size_t type) {
    reach(type, variable);
    while (!pending_.empty()) {
      const auto [next, path] = std::move(pending_.back());
      pending_.pop_back();
      go_on(types_[next], path);
    }
  }

  void note(const std::string& what, const std::string& path) {
    const auto known =
        std::find_if(notes_.begin(), notes_.end(), [&](const HeapNote& note) { return note.what == what; });
    if (known != notes_.end())
      ++known->count;
    else
      notes_.push_back({what, 1, path});
  }

  std::vector<HeapNote> take() { return std::move(notes_); }

 private:
  static constexpr std::string_view arrow = "->";

  static std::string joined(const std::string& path, const std::string& step) {
    constexpr std::size_t longest = 200;
    if (step.empty() || path.size() > longest) return path;
    return path.ends_with(arrow) && step.front() == '.' ? path + step.substr(1) : path + step;
  }

  void reach(std::size_t type, const std::string& path) {
    const HeapType& reached = types_[type];
    if (reached.shape == Shape::untyped || (reached.shape == Shape::choice && reached.leads))
      note(reached.name, path.ends_with(arrow) ? path.substr(0, path.size() - arrow.size()) : path);
    else if (reached.shape != Shape::choice && !std::exchange(is_seen_[type], 1))
      pending_.emplace_back(type, path);
  }

  void go_on(const HeapType& type, const std::string& path) {
    for (const HeapPart& part : type.parts) reach(part.type, joined(path, part.name));
    if (type.target == no_type) return;
    const bool is_one = type.shape == Shape::pointer || type.shape == Shape::optional;
    const std::string inner = !is_one ? joined(path, "[]") : path.ends_with(arrow) ? path : joined(path, "->");
    reach(type.target, inner);
    if (type.shape == Shape::pointer)
      for (const std::size_t derived : types_[type.target].derived) reach(derived, inner);
  }

  const std::vector<HeapType>& types_;
  std::vector<char> is_seen_;
  std::vector<std::pair<std::size_t, std::string>> pending_;
  std::vector<HeapNote> notes_;
};

std::vector<VtablePlace> read_vtables(const Program& program,
                                      const std::multimap<std::string, TypeGraph::VirtualClass>& classes) {
  constexpr std::string_view prefix = "vtable for ";
  std::vector<VtablePlace> vtables;
  for (std::size_t module = 0; module < program.modules().size(); ++module) {
    const ModuleSymbols* symbols = program.symbols_of(module);
    if (symbols == nullptr) continue;
    for (const auto& [mangled, place] : symbols->functions().data_beginning_with("_ZTV")) {
      const std::string name = demangle(std::string(mangled));
      VtablePlace vtable{program.modules()[module].bias + place.address, 0, no_type,
                         name.starts_with(prefix) ? name.substr(prefix.size()) : name};
      vtable.end = vtable.begin + place.size;
      const auto [first, last] = classes.equal_range(vtable.class_name);
      for (auto one = first; one != last; ++one)
        if (vtable.type == no_type || one->second.module == module) vtable.type = one->second.type;
      vtables.push_back(std::move(vtable));
    }
  }
  std::sort(vtables.begin(), vtables.end(),
            [](const VtablePlace& a, const VtablePlace& b) { return a.begin < b.begin; });
  return vtables;
}

struct TypedVariable {
  std::size_t module = 0;
  const StaticVariable* variable = nullptr;
  std::size_t type = no_type;
};

std::vector<TypedVariable> read_variables(const Program& program, const HeapRequest& request, TypeGraph& graph) {
  std::vector<TypedVariable> variables;
  for (const std::size_t module : request.modules) {
    const TypeIndex* index = graph.index(module);
    if (index == nullptr)
      throw Error(ErrorCode::not_found, program.modules()[module].path +
                                            " has no debug information, so that the types of its variables are not "
                                            "known; compile it with -g");
    for (const StaticVariable& variable : index->variables())
      variables.push_back({module, &variable, graph.add(module, variable)});
  }
  return variables;
}

}  // namespace

HeapPlan plan_heap_walk(const Program& program, const HeapRequest& request) {
  TypeGraph graph(program, request);
  const VariablePlaces places(program);
  const std::vector<TypedVariable> variables = read_variables(program, request, graph);
  HeapPlan plan;
  plan.vtables = read_vtables(program, graph.virtual_classes());
  plan.types = graph.take();
  mark_what_leads(plan.types);
  finish_objects(plan.types);

  NoteTaker notes(plan.types);
  std::set<std::uintptr_t> seen;
  for (const TypedVariable& one : variables) {
    const bool leads = plan.types[one.type].leads;
    if (one.variable->is_thread_local) {
      if (leads) notes.note("thread-local variables", one.variable->name);
      continue;
    }
    notes.follow(one.variable->name, one.type);
    const std::uintptr_t address = places.address_of(one.module, *one.variable);
    if (leads && seen.insert(address).second) plan.roots.push_back({one.variable->name, address, one.type});
  }
  plan.not_followed = notes.take();
  return plan;
}

}  // namespace moult::internal
