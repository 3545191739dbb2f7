// A type is a number, which is assigned at its first use and filled later, so cycles of types end. Classes are joined
// by name within a module; a class that a module only declares is looked up in the others. A pointer to a class with a
// vtable may also point to every class of any module that derives from it.
#include "symbols/type_graph.hpp"

#include <algorithm>

#include "moult/error.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/container_shape.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/type_name.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t plain_leaf = 0;

/// The path to a member; names of the library's own members are omitted.
std::string step_name(std::string_view member) {
  return member.empty() || member.starts_with("_M_") ? std::string() : "." + std::string(member);
}

}  // namespace

TypeGraph::TypeGraph(const Program& program, const HeapRequest& request)
    : program_(program), request_(request), indexes_(program.modules().size()) {
  for (std::size_t i = 0; i < indexes_.size(); ++i) {
    const ModuleSymbols* symbols = program.is_apart(i) ? nullptr : program.symbols_of(i);
    const DebugInfo* info = symbols != nullptr ? symbols->debug_info() : nullptr;
    if (info != nullptr && !info->lacks_supplementary_file()) indexes_[i] = std::make_unique<TypeIndex>(*info);
  }
  make({}, {}, false);
}

std::size_t TypeGraph::add(std::size_t module, const StaticVariable& variable) {
  const std::size_t type = type_for(module, bare_type_of(variable.die));
  complete();
  return type;
}

std::vector<HeapType> TypeGraph::take() { return std::move(types_); }

std::multimap<std::string, TypeGraph::VirtualClass> TypeGraph::virtual_classes() const {
  std::multimap<std::string, VirtualClass> classes;
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (!types_[i].has_vtable) continue;
    if (const std::optional<std::string> name = class_name_of(origins_[i].die))
      classes.emplace(*name, VirtualClass{origins_[i].module, i});
  }
  return classes;
}

std::size_t TypeGraph::make(HeapType type, const Origin& origin, bool is_to_fill) {
  types_.push_back(std::move(type));
  origins_.push_back(origin);
  if (is_to_fill) to_fill_.push_back(types_.size() - 1);
  return types_.size() - 1;
}

std::size_t TypeGraph::untyped(const std::string& plural) {
  const auto [known, is_new] = untyped_.try_emplace(plural, types_.size());
  if (!is_new) return known->second;
  HeapType type;
  type.name = plural;
  type.shape = Shape::untyped;
  return make(std::move(type), {}, false);
}

std::size_t TypeGraph::type_for(std::size_t module, const std::optional<Dwarf_Die>& bare) {
  if (!bare) return plain_leaf;
  Dwarf_Die die = *bare;
  const int tag = dwarf_tag(&die);
  if (is_class_tag(tag)) return class_for(module, die);
  if (tag == DW_TAG_pointer_type || tag == DW_TAG_ptr_to_member_type)
    if (const std::optional<std::size_t> wanted = wanted_pointer_for(module, die)) return *wanted;
  if (tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type)
    return pointer_for(module, die);
  if (tag != DW_TAG_array_type) return plain_leaf;
  const auto known = by_entry_.find(die.addr);
  if (known != by_entry_.end()) return known->second;
  HeapType type;
  type.shape = Shape::array;
  type.size = size_of_type(die);
  return by_entry_[die.addr] = make(std::move(type), {module, std::nullopt, die}, true);
}

std::size_t TypeGraph::pointer_for(std::size_t module, Dwarf_Die pointer) {
  std::optional<Dwarf_Die> target = bare_type_of(pointer);
  if (!request_.follows_raw_pointers) return plain_leaf;
  if (!target) return untyped("void pointers");
  return pointer_to(type_for(module, target));
}

/// A pointer that is wanted itself; its target is followed like any other.
std::optional<std::size_t> TypeGraph::wanted_pointer_for(std::size_t module, Dwarf_Die pointer) {
  if (request_.pointers.empty()) return std::nullopt;
  const auto known = wanted_pointers_.find(pointer.addr);
  if (known != wanted_pointers_.end()) return known->second;
  const std::optional<std::string> name = name_of_type_entry(pointer);
  const auto wanted = std::find_if(request_.pointers.begin(), request_.pointers.end(),
                                   [&](const WantedPointer& one) { return name && one.name == *name; });
  std::optional<std::size_t>& made = wanted_pointers_[pointer.addr];
  if (wanted == request_.pointers.end()) return made;
  HeapType type;
  type.name = wanted->name;
  type.size = wanted->size;
  type.alignment = alignof(void*);
  type.wanted = request_.wanted.size() + static_cast<std::size_t>(wanted - request_.pointers.begin());
  made = make(std::move(type), {}, false);
  const std::size_t number = *made;
  if (dwarf_tag(&pointer) != DW_TAG_pointer_type) return number;
  // Registered before its target is read, which may contain such a pointer again.
  const std::size_t target = pointer_for(module, pointer);
  if (types_[target].shape != Shape::pointer) return number;
  types_[number].shape = Shape::pointer;
  types_[number].target = types_[target].target;
  return number;
}

std::size_t TypeGraph::pointer_to(std::size_t target) {
  if (target == plain_leaf || types_[target].shape == Shape::untyped) return target;
  const auto known = pointers_.find(target);
  if (known != pointers_.end()) return known->second;
  if (types_[target].has_vtable) pointed_to_.push_back(target);
  HeapType type;
  type.shape = Shape::pointer;
  type.size = sizeof(void*);
  type.alignment = alignof(void*);
  type.target = target;
  return pointers_[target] = make(std::move(type), {}, false);
}

std::optional<TypeGraph::Origin> TypeGraph::definition_of(std::size_t module, const Dwarf_Die& die,
                                                          const std::string& name) const {
  const auto in_module = [&](std::size_t other, std::size_t number) -> std::optional<Origin> {
    const IndexedClass& known = indexes_[other]->classes()[number];
    if (!known.definition) return std::nullopt;
    return Origin{other, number, *known.definition};
  };
  const std::optional<std::size_t> own = indexes_[module]->class_of(die);
  if (!own) return is_definition(die) ? std::optional(Origin{module, std::nullopt, die}) : std::nullopt;
  if (std::optional<Origin> origin = in_module(module, *own)) return origin;
  for (std::size_t other = 0; other < indexes_.size(); ++other) {
    const std::optional<std::size_t> number = indexes_[other] ? indexes_[other]->find(name) : std::nullopt;
    if (!number) continue;
    if (std::optional<Origin> origin = in_module(other, *number)) return origin;
  }
  return std::nullopt;
}

std::size_t TypeGraph::class_for(std::size_t module, const Dwarf_Die& die) {
  const std::optional<std::size_t> own = indexes_[module]->class_of(die);
  const std::string name = own ? indexes_[module]->classes()[*own].name : std::string(plain_name_of(die));
  if (name.starts_with("moult::")) return plain_leaf;  // moult's own data is no state of the program
  const std::optional<Origin> origin = definition_of(module, die, name);
  // clang may only declare the library's strings.
  if (!origin)
    return plain_library_name(name).starts_with("std::basic_string<") ? plain_leaf
                                                                      : untyped("types that are only declared");
  if (origin->number && indexes_[origin->module]->classes()[*origin->number].is_ambiguous)
    return untyped("classes that are defined in several ways");
  std::size_t& known = origin->number ? classes_.try_emplace({origin->module, *origin->number}, no_type).first->second
                                      : by_entry_.try_emplace(origin->die.addr, no_type).first->second;
  if (known != no_type) return known;
  HeapType type;
  type.name = name;
  type.shape = Shape::object;
  type.size = size_of_type(origin->die);
  type.has_vtable = has_vtable_pointer(origin->die);
  return known = make(std::move(type), *origin, true);
}

void TypeGraph::complete() {
  while (!to_fill_.empty() || !pointed_to_.empty()) {
    std::vector<std::size_t>& pending = to_fill_.empty() ? pointed_to_ : to_fill_;
    const std::size_t type = pending.back();
    const bool is_base = to_fill_.empty();
    pending.pop_back();
    if (is_base)
      add_derived(type);
    else
      fill(type);
  }
}

void TypeGraph::fill(std::size_t type) {
  if (types_[type].shape == Shape::array)
    fill_array(type);
  else
    fill_class(type);
}

void TypeGraph::fill_array(std::size_t type) {
  const std::size_t element = type_for(origins_[type].module, bare_type_of(origins_[type].die));
  HeapType& array = types_[type];
  array.target = element;
  if (types_[element].size == 0) return;
  array.count = array.size / types_[element].size;
  array.alignment = types_[element].alignment;
}

void TypeGraph::fill_class(std::size_t type) {
  const Origin origin = origins_[type];
  const std::string name = types_[type].name;
  Dwarf_Die die = origin.die;
  note_wanted(type, ClassName(name));
  std::optional<ContainerShape> shape = container_shape(*indexes_[origin.module], die, name);
  if (!shape && dwarf_tag(&die) == DW_TAG_union_type) shape = ContainerShape{Shape::choice, {}, {}, {}, "unions"};
  if (shape) {
    types_[type].shape = shape->shape;
    types_[type].at = shape->at;
    types_[type].pointing = shape->pointing;
    if (!shape->untyped.empty()) types_[type].name = shape->untyped;
    if (shape->shape == Shape::choice && !name.empty())
      for (const Dwarf_Die& alternative : template_arguments(die)) {
        const std::size_t part = type_for(origin.module, alternative);
        types_[type].parts.push_back({0, part, {}, false});
      }
    if (shape->shape != Shape::object && shape->shape != Shape::choice) {
      const bool is_pointer = shape->shape == Shape::pointer;
      std::size_t target =
          is_pointer && !shape->element ? untyped("void pointers") : type_for(origin.module, shape->element);
      if (is_pointer && types_[target].has_vtable) pointed_to_.push_back(target);
      types_[type].target = target;
      types_[type].alignment = alignof(void*);
      return;
    }
  }
  for_each_child(die, [&](Dwarf_Die& child) { add_part(type, child); });
}

void TypeGraph::add_part(std::size_t type, Dwarf_Die member) {
  const int tag = dwarf_tag(&member);
  if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || is_static_member(member)) return;
  if (dwarf_hasattr(&member, DW_AT_bit_size) != 0 || has_flag(member, DW_AT_artificial)) return;
  std::size_t part = type_for(origins_[type].module, bare_type_of(member));
  const bool is_base = tag == DW_TAG_inheritance;
  if (part == plain_leaf) return;
  HeapPart result{number_of(member, DW_AT_data_member_location).value_or(0), part,
                  is_base ? std::string() : step_name(plain_name_of(member)), is_base};
  if (is_base && number_of(member, DW_AT_virtuality).value_or(0) != 0) {
    // Its place depends on the object, so it is a choice of one.
    HeapType elsewhere;
    elsewhere.name = "virtual bases";
    elsewhere.shape = Shape::choice;
    elsewhere.parts = {{0, part, {}, false}};
    result.type = make(std::move(elsewhere), {}, false);
    result.is_base = false;
  }
  types_[type].parts.push_back(std::move(result));
}

void TypeGraph::add_derived(std::size_t base) {
  const Origin origin = origins_[base];
  std::vector<std::size_t> derived;
  const auto add_from = [&](std::size_t module, std::size_t number) {
    for (const std::size_t one : indexes_[module]->classes()[number].derived)
      if (const std::optional<Dwarf_Die>& die = indexes_[module]->classes()[one].definition)
        derived.push_back(class_for(module, *die));
  };
  if (origin.number) add_from(origin.module, *origin.number);
  for (std::size_t module = 0; module < indexes_.size(); ++module) {
    if (module == origin.module || !indexes_[module]) continue;
    if (const std::optional<std::size_t> number = indexes_[module]->find(types_[base].name)) add_from(module, *number);
  }
  for (const std::size_t one : derived) {
    std::vector<std::size_t>& known = types_[base].derived;
    if (std::find(known.begin(), known.end(), one) != known.end()) continue;
    known.push_back(one);
    if (types_[one].derived.empty() && types_[one].shape == Shape::object) pointed_to_.push_back(one);
  }
}

void TypeGraph::note_wanted(std::size_t type, const ClassName& written) {
  for (std::size_t i = 0; i < request_.wanted.size(); ++i) {
    const WantedClass& wanted = request_.wanted[i];
    if (written.identifier() != wanted.name.identifier()) continue;
    if (class_name_of(origins_[type].die) != wanted.name.text()) continue;
    if (types_[type].size != wanted.size)
      throw Error(ErrorCode::layout_mismatch,
                  wanted.name.text() + ": has " + std::to_string(types_[type].size) + " bytes in " +
                      program_.modules()[origins_[type].module].path + " and " + std::to_string(wanted.size) +
                      " for the walker; build the walker with the program's headers and flags");
    types_[type].wanted = i;
    types_[type].alignment = wanted.alignment;
  }
}

}  // namespace moult::internal
