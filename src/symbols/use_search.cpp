// One walk records, for every type, function and static object, the classes it uses; class_graph.hpp then computes the
// nodes that reach the wanted class. A function uses the types of its parameters, result and variables, the uses of
// functions inlined into it, and the result types of the functions it calls. A class uses the types of its members,
// bases and template arguments. A class that one unit declares and another defines is joined by name.
#include "symbols/use_search.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/name_query.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace moult::internal {
namespace {

constexpr int deepest_use = 300;  // only damaged files nest deeper

/// Templates that hold their argument by pointer, or not at all.
bool holds_by_pointer(std::string_view class_name) {
  constexpr std::array<std::string_view, 12> templates{
      "std::unique_ptr",      "std::shared_ptr",          "std::__shared_ptr",        "std::weak_ptr",
      "std::__weak_ptr",      "std::__shared_ptr_access", "std::default_delete",      "std::__uniq_ptr_impl",
      "std::__uniq_ptr_data", "std::_Sp_counted_ptr",     "std::_Sp_counted_deleter", "std::enable_shared_from_this"};
  if (class_name.substr(0, 7) == "moult::") return true;
  const std::string_view name = class_name.substr(0, class_name.find('<'));
  return std::find(templates.begin(), templates.end(), name) != templates.end();
}

/// "std::default_delete" for the argument at `at` in "std::tuple<A*, std::default_delete<A> >".
std::string_view template_around(std::string_view written, std::size_t at) {
  int depth = 0;
  while (at-- > 0) {
    if (written[at] == '>') ++depth;
    if (written[at] == '<' && --depth < 0) break;
  }
  const std::string_view before = written.substr(0, at);
  const std::size_t begin = before.find_last_of("<, ");
  return begin == std::string_view::npos ? before : before.substr(begin + 1);
}

/// True for an object that lives as long as the program or a thread.
bool is_static_object(Dwarf_Die variable) {
  Dwarf_Attribute attribute{};
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (dwarf_getlocation(dwarf_attr(&variable, DW_AT_location, &attribute), &operations, &count) != 0 || count == 0)
    return false;
  const std::array<unsigned, 6> addresses{DW_OP_addr,    DW_OP_addrx,  DW_OP_GNU_addr_index,
                                          DW_OP_const8u, DW_OP_constx, DW_OP_GNU_const_index};
  return std::find(addresses.begin(), addresses.end(), operations->atom) != addresses.end();
}

/// The walk over one module.
class UseSearch final {
 public:
  UseSearch(const DebugInfo& info, const ClassName& name, const KnownClass& known)
      : info_(info), name_(name), known_(known), wanted_(graph_.add_node()) {
    for (const void* entry : known.entries) classes_[entry] = wanted_;
  }

  void run() {
    for (const DebugUnit* unit : known_.units) visit_children(unit->content, {}, std::nullopt, 0);
    for (const Use& use : uses_) {
      const auto found = classes_.find(use.type);
      if (found != classes_.end()) graph_.add_edge(use.from, found->second, use.by_pointer);
    }
  }

  ValueHolders holders() const {
    const std::vector<bool> holds = graph_.holders_of(wanted_);
    ValueHolders holders;
    for (const auto& [name, node] : class_nodes_)
      if (node != wanted_ && holds[node] && std::ranges::find(holders.classes, name) == holders.classes.end())
        holders.classes.push_back(name);
    for (const auto& [die, node] : users_)
      if (holds[node]) holders.users.push_back(die);
    return holders;
  }

  /// Calls `found(die, reach)` for each function with code, and each static object, that reaches the class.
  template <class Found>
  void for_each_user(Found&& found) const {
    const std::vector<Reach> reach = graph_.reach_of(wanted_);
    for (const auto& [die, node] : users_) {
      if (reach[node] != Reach::none) found(die, reach[node]);
    }
  }

 private:
  /// A use of a class that may not have been visited yet.
  struct Use {
    std::size_t from = 0;
    const void* type = nullptr;
    bool by_pointer = false;
  };
  struct Target {
    const void* type = nullptr;
    bool by_pointer = false;
    bool in_array = false;  ///< an array of values: a pointer to it depends on their size
  };
  using Owner = std::optional<std::size_t>;  ///< the function or class being visited

  void visit_children(Dwarf_Die parent, const std::string& scope, Owner owner, int depth) {
    Dwarf_Die child{};
    if (depth > deepest_use || dwarf_child(&parent, &child) != 0) return;
    do visit(child, scope, owner, depth + 1);
    while (dwarf_siblingof(&child, &child) == 0);
  }

  void visit(Dwarf_Die& die, const std::string& scope, Owner owner, int depth) {
    switch (dwarf_tag(&die)) {
      case DW_TAG_namespace: return visit_children(die, scope_inside(die, scope), std::nullopt, depth);
      case DW_TAG_class_type:
      case DW_TAG_structure_type:
      case DW_TAG_union_type: return visit_class(die, scope, owner.has_value(), depth);
      case DW_TAG_subprogram: return visit_function(die, scope, depth);
      case DW_TAG_inlined_subroutine:
        if (owner) add_reference(*owner, referred_by(die, DW_AT_abstract_origin));
        return visit_children(die, scope, owner, depth);
      case DW_TAG_variable: visit_variable(die); [[fallthrough]];
      case DW_TAG_formal_parameter:
        if (owner) add_uses(*owner, referred_by(die, DW_AT_type), false);
        return;
      case DW_TAG_call_site:
      case DW_TAG_GNU_call_site:
        if (owner) add_call(*owner, die);
        return;
      case DW_TAG_lexical_block:
      case DW_TAG_try_block:
      case DW_TAG_catch_block: return visit_children(die, scope, owner, depth);
      default: return;
    }
  }

  void visit_class(Dwarf_Die& die, const std::string& scope, bool is_local, int depth) {
    const std::string name = full_name(die, scope);
    const std::size_t node = node_of_class(die, is_local ? std::string() : name);
    const bool is_pointer = holds_by_pointer(name);
    const bool makes_values = name.starts_with("std::allocator<") ||
                              name.starts_with("std::pmr::polymorphic_allocator<") ||
                              name.starts_with("std::any::_Manager_internal<");
    if ((size_of_type(die) > 1 || makes_values) && !name.starts_with("moult::")) class_nodes_.emplace_back(name, node);
    add_written_uses(node, name);
    Dwarf_Die child{};
    for (bool more = dwarf_child(&die, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0) {
      const int tag = dwarf_tag(&child);
      const bool is_argument = tag == DW_TAG_template_type_parameter;
      if (tag == DW_TAG_member && dwarf_hasattr(&child, DW_AT_external) != 0) continue;  // static
      if (tag == DW_TAG_member || tag == DW_TAG_inheritance || is_argument)
        add_uses(node, referred_by(child, DW_AT_type), is_argument && is_pointer);
      else if (tag == DW_TAG_GNU_template_parameter_pack)
        add_pack(node, child, is_pointer);
      else
        visit(child, scope_inside(die, scope), std::nullopt, depth);
    }
  }

  /// A nested class, or one in a type unit, may be defined outside of its scope.
  std::string full_name(Dwarf_Die& die, const std::string& scope) {
    const std::optional<Dwarf_Die> declared = referred_by(die, DW_AT_specification);
    const auto known = declared ? declared_.find(declared->addr) : declared_.end();
    if (known != declared_.end()) return known->second;
    const char* text = dwarf_diename(&die);
    std::string name = text != nullptr ? scope + text : std::string();
    if (dwarf_hasattr(&die, DW_AT_declaration) != 0) declared_[die.addr] = name;
    return name;
  }

  void add_pack(std::size_t node, Dwarf_Die pack, bool by_pointer) {
    Dwarf_Die child{};
    for (bool more = dwarf_child(&pack, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0)
      add_uses(node, referred_by(child, DW_AT_type), by_pointer);
  }

  /// A class that is declared and defined in different units is one node, by its name.
  std::size_t node_of_class(const Dwarf_Die& die, const std::string& name) {
    const auto [known, is_new] = classes_.try_emplace(die.addr, 0);
    if (!is_new) return known->second;
    if (name.empty()) return known->second = graph_.add_node();
    const auto [named, is_first] = named_classes_.try_emplace(name, 0);
    if (is_first) named->second = graph_.add_node();
    return known->second = named->second;
  }

  /// A template that is only declared has its arguments in its name alone.
  void add_written_uses(std::size_t node, const std::string& written) {
    for (std::size_t at = written.find('<');
         at != std::string::npos && (at = written.find(name_.text(), at + 1)) != std::string::npos;) {
      const std::size_t end = at + name_.text().size();
      if (is_identifier_char(written[at - 1]) || written[at - 1] == ':') continue;
      if (end < written.size() && (is_identifier_char(written[end]) || written[end] == ':')) continue;
      const std::string_view behind = std::string_view(written).substr(end, 2);
      const bool is_pointer = behind.find_first_of("*&") != std::string_view::npos;
      graph_.add_edge(node, wanted_, is_pointer || holds_by_pointer(template_around(written, at)));
    }
  }

  void visit_function(Dwarf_Die& die, const std::string& scope, int depth) {
    const std::size_t node = node_of_function(die.addr);
    add_uses(node, referred_by(die, DW_AT_type), false);
    add_reference(node, referred_by(die, DW_AT_abstract_origin));
    add_reference(node, referred_by(die, DW_AT_specification));
    const std::optional<std::uint64_t> code = code_of(die);
    if (code && info_.is_code(*code)) users_.emplace_back(die, node);
    visit_children(die, scope, node, depth);
  }

  void visit_variable(Dwarf_Die& die) {
    if (!is_static_object(die)) return;
    const std::size_t node = graph_.add_node();
    Dwarf_Attribute attribute{};
    Dwarf_Die type{};
    if (dwarf_formref_die(dwarf_attr_integrate(&die, DW_AT_type, &attribute), &type) == nullptr) return;
    add_uses(node, type, false);
    users_.emplace_back(die, node);
  }

  std::size_t node_of_function(const void* entry) {
    const auto [known, is_new] = functions_.try_emplace(entry, 0);
    if (is_new) known->second = graph_.add_node();
    return known->second;
  }

  /// Uses of either function count as uses of the other.
  void add_reference(std::size_t from, std::optional<Dwarf_Die> function) {
    if (function) graph_.add_edge(from, node_of_function(function->addr), false);
  }

  void add_call(std::size_t from, const Dwarf_Die& call) {
    std::optional<Dwarf_Die> called = referred_by(call, DW_AT_call_origin);
    if (!called) called = referred_by(call, DW_AT_abstract_origin);
    Dwarf_Attribute attribute{};
    Dwarf_Die type{};
    if (called && dwarf_formref_die(dwarf_attr_integrate(&*called, DW_AT_type, &attribute), &type) != nullptr)
      add_uses(from, type, false);
  }

  void add_uses(std::size_t from, const std::optional<Dwarf_Die>& type, bool by_pointer) {
    if (!type) return;
    for (const Target& target : targets_of(*type, 0))
      uses_.push_back({from, target.type, by_pointer || target.by_pointer});
  }

  /// The classes in a type: "Data* const&" has Data by pointer; "Data" and "Data (*)[3]" have it by value.
  const std::vector<Target>& targets_of(Dwarf_Die type, int depth) {
    constexpr int most = 40;  // a damaged file may have a cycle
    const auto [known, is_new] = targets_.try_emplace(type.addr);
    if (!is_new || depth > most) return known->second;
    std::vector<Target> targets;
    const auto add = [&](const std::optional<Dwarf_Die>& part, bool by_pointer) {
      if (!part) return;
      for (const Target& target : targets_of(*part, depth + 1))
        targets.push_back({target.type, (by_pointer && !target.in_array) || target.by_pointer, target.in_array});
    };
    const int tag = dwarf_tag(&type);
    const bool is_pointer = tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
                            tag == DW_TAG_rvalue_reference_type || tag == DW_TAG_ptr_to_member_type;
    if (is_class_tag(tag))
      targets.push_back({full_class(type).addr, false});
    else
      add(referred_by(type, DW_AT_type), is_pointer);
    if (tag == DW_TAG_ptr_to_member_type) add(referred_by(type, DW_AT_containing_type), true);
    if (tag == DW_TAG_subroutine_type) {
      Dwarf_Die child{};
      for (bool more = dwarf_child(&type, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0)
        add(referred_by(child, DW_AT_type), false);
    }
    if (tag == DW_TAG_array_type)
      for (Target& target : targets) target.in_array = !target.by_pointer;
    return targets_[type.addr] = std::move(targets);
  }

  const DebugInfo& info_;
  const ClassName& name_;
  const KnownClass& known_;
  ClassGraph graph_;
  std::size_t wanted_;
  std::vector<Use> uses_;
  std::vector<std::pair<Dwarf_Die, std::size_t>> users_;          ///< functions with code and static objects
  std::vector<std::pair<std::string, std::size_t>> class_nodes_;  ///< names; classes without data left out
  std::unordered_map<const void*, std::size_t> classes_;
  std::unordered_map<const void*, std::string> declared_;  ///< names of classes that are only declared
  std::unordered_map<std::string, std::size_t> named_classes_;
  std::unordered_map<const void*, std::size_t> functions_;
  std::unordered_map<const void*, std::vector<Target>> targets_;
};

}  // namespace

KnownClass find_class(const DebugInfo& info, const ClassName& wanted) {
  KnownClass known;
  known.units = units_of(info, wanted);
  for (const DebugUnit* unit : known.units) {
    visit_classes(unit->content, {}, [&](const Dwarf_Die& die, const std::string& scope) {
      if (!is_class(die, scope, wanted)) return;
      for (Dwarf_Die part : {die, full_class(die)}) {
        known.entries.insert(part.addr);
        Dwarf_Die child{};
        for (bool more = dwarf_child(&part, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0) {
          if (dwarf_tag(&child) == DW_TAG_subprogram) known.functions.insert(child.addr);
        }
      }
    });
  }
  return known;
}

ValueHolders holders_of(const DebugInfo& info, const ClassName& wanted, const KnownClass& known) {
  UseSearch search(info, wanted, known);
  search.run();
  return search.holders();
}

void find_uses(const DebugInfo& info, const ClassName& wanted, const KnownClass& known,
               const std::function<void(const Dwarf_Die& die, Reach reach)>& found) {
  UseSearch search(info, wanted, known);
  search.run();
  search.for_each_user(found);
}

}  // namespace moult::internal
