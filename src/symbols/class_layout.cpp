// Problem: whether objects of one class may become objects of another, and which code may go on using them, depends on
// the places of the fields in both. The compiler records these.
//
// Approach: search the class in every unit of every module, in namespaces and inside of classes. Each unit that
// includes the class's header has a definition; equal ones count once. A unit declares only the member functions it
// knows (implicit ones and instances of templates differ), so these are merged. The shape of a field's type is recorded
// too, so that two types with one name and different layouts in two modules are told apart.
//
// Limits: classes inside of functions are not found. clang omits the definition of a class that a unit does not need; a
// field of such a type has no known size or shape.
#include "symbols/class_layout.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/names.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"
#include "symbols/type_name.hpp"

namespace moult::internal {
namespace {

constexpr int deepest_member = 30;  // only damaged files nest deeper

/// The first bit of a bit-field, counted from the beginning of the enclosing object, in which the class begins at `at`.
std::uint64_t first_bit(Dwarf_Die field, std::uint64_t at, std::uint64_t bits) {
  if (const std::optional<std::uint64_t> bit = number_of(field, DW_AT_data_bit_offset)) return at * 8 + *bit;
  // Before DWARF 5: counted from the highest bit of a storage unit.
  const std::uint64_t unit = at + number_of(field, DW_AT_data_member_location).value_or(0);
  const std::optional<Dwarf_Die> type = bare_type_of(field);
  const std::uint64_t storage = number_of(field, DW_AT_byte_size).value_or(type ? size_of_type(*type) : 0);
  return unit * 8 + storage * 8 - number_of(field, DW_AT_bit_offset).value_or(0) - bits;
}

std::optional<std::string> shape_of(std::optional<Dwarf_Die> type, int depth);

/// The places and types of the parts: "{0:int 8:*}16".
std::optional<std::string> shape_of_class(Dwarf_Die type, int depth) {
  if (!is_definition(type)) return std::nullopt;
  std::string shape = "{";
  bool is_known = true;
  for_each_child(type, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || is_static_member(child)) return;
    const std::optional<std::string> inner = shape_of(bare_type_of(child), depth + 1);
    is_known = is_known && inner;
    const std::uint64_t bits = number_of(child, DW_AT_bit_size).value_or(0);
    const std::uint64_t place =
        bits != 0 ? first_bit(child, 0, bits) : number_of(child, DW_AT_data_member_location).value_or(0);
    if (inner) shape += std::to_string(place) + (bits != 0 ? "/" + std::to_string(bits) : "") + ":" + *inner + " ";
  });
  if (!is_known) return std::nullopt;
  return shape + "}" + std::to_string(size_of_type(type));
}

/// `type` has no typedefs and qualifiers around it.
std::optional<std::string> shape_of(std::optional<Dwarf_Die> type, int depth) {
  if (!type || depth > deepest_member) return std::nullopt;
  switch (dwarf_tag(&*type)) {
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type: return "*";
    case DW_TAG_ptr_to_member_type: return "->*" + std::to_string(size_of_type(*type));
    case DW_TAG_enumeration_type: return "enum" + std::to_string(size_of_type(*type));
    // Compilers and languages name them differently: "_Bool", "long unsigned int".
    case DW_TAG_base_type:
      return "n" + std::to_string(number_of(*type, DW_AT_encoding).value_or(0)) + "/" +
             std::to_string(size_of_type(*type));
    case DW_TAG_unspecified_type: return std::string(plain_name_of(*type));
    case DW_TAG_array_type: {
      const std::optional<std::string> element = shape_of(bare_type_of(*type), depth + 1);
      return element ? std::optional("[" + std::to_string(size_of_type(*type)) + "]" + *element) : std::nullopt;
    }
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type: return shape_of_class(*type, depth);
    default: return std::nullopt;
  }
}

/// Adds the data members of `type`, which lies `at` bytes into the described object.
void add_fields(Dwarf_Die type, std::uint64_t at, std::vector<ClassField>& fields, int depth = 0) {
  for_each_child(type, [&](Dwarf_Die& child) {
    const std::string_view name = plain_name_of(child);
    if (dwarf_tag(&child) != DW_TAG_member || is_static_member(child) || depth > deepest_member) return;
    if (has_flag(child, DW_AT_artificial) && name.substr(0, 5) == "_vptr") return;
    const std::optional<Dwarf_Die> bare = bare_type_of(child);
    ClassField field{std::string(name), type_name_of(child).value_or(""), 0, bare ? size_of_type(*bare) : 0, 0, 0, {}};
    field.offset = at + number_of(child, DW_AT_data_member_location).value_or(0);
    field.bits = static_cast<unsigned>(number_of(child, DW_AT_bit_size).value_or(0));
    if (field.bits != 0) {
      const std::uint64_t bit = first_bit(child, at, field.bits);
      field.offset = bit / 8;
      field.bit = static_cast<unsigned>(bit % 8);
    }
    Dwarf_Die inner = bare.value_or(Dwarf_Die{});
    if (name.empty() && bare && is_class_tag(dwarf_tag(&inner)))
      return add_fields(inner, field.offset, fields, depth + 1);
    field.shape = shape_of(bare, 0).value_or("");
    fields.push_back(std::move(field));
  });
}

std::vector<ClassBase> bases_of(Dwarf_Die type) {
  std::vector<ClassBase> bases;
  for_each_child(type, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_inheritance) return;
    const std::optional<Dwarf_Die> bare = bare_type_of(child);
    ClassBase base{type_name_of(child).value_or(""), std::nullopt, number_of(child, DW_AT_virtuality).value_or(0) != 0,
                   bare && has_vtable_pointer(*bare), shape_of(bare, 0).value_or("")};
    if (!base.is_virtual) base.offset = number_of(child, DW_AT_data_member_location).value_or(0);
    bases.push_back(std::move(base));
  });
  return bases;
}

std::optional<std::uint64_t> slot_of(Dwarf_Die function) {
  Dwarf_Attribute attribute{};
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (dwarf_getlocation(dwarf_attr(&function, DW_AT_vtable_elem_location, &attribute), &operations, &count) != 0 ||
      count != 1)
    return std::nullopt;
  if (operations->atom == DW_OP_constu) return operations->number;
  if (operations->atom >= DW_OP_lit0 && operations->atom <= DW_OP_lit31) return operations->atom - DW_OP_lit0;
  return std::nullopt;
}

/// The demangler's name for functions without a mangled name: clang's constructors and destructors.
std::string composed_name(Dwarf_Die function, const ClassName& of_class) {
  std::string parameters;
  std::string qualifiers;
  for_each_child(function, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters) return;
    const std::string type = tag == DW_TAG_formal_parameter ? type_name_of(child).value_or("?") : "...";
    if (!has_flag(child, DW_AT_artificial))
      parameters += (parameters.empty() ? "" : ", ") + type;
    else if (type.ends_with(" const*"))
      qualifiers = " const";
  });
  return of_class.text() + "::" + std::string(plain_name_of(function)) + "(" + parameters + ")" + qualifiers;
}

MemberKind kind_of(Dwarf_Die function, const ClassName& of_class) {
  const std::string_view name = plain_name_of(function);
  if (name.substr(0, 1) == "~") return MemberKind::destructor;
  if (of_class.names_constructor_or_destructor(name)) return MemberKind::constructor;
  bool has_this = false;
  for_each_child(function, [&](Dwarf_Die& child) {
    has_this = has_this || (dwarf_tag(&child) == DW_TAG_formal_parameter && has_flag(child, DW_AT_artificial));
  });
  return has_this ? MemberKind::method : MemberKind::static_method;
}

std::vector<MemberFunction> functions_of(Dwarf_Die type, const ClassName& of_class) {
  std::vector<MemberFunction> functions;
  for_each_child(type, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_subprogram || plain_name_of(child).empty()) return;
    MemberFunction function;
    function.name = declared_name(child, of_class);
    function.kind = kind_of(child, of_class);
    function.is_virtual = number_of(child, DW_AT_virtuality).value_or(0) != 0;
    if (function.kind != MemberKind::destructor) function.slot = slot_of(child);
    if (function.kind == MemberKind::method || function.kind == MemberKind::static_method)
      function.result = result_type_of(child).value_or("");
    function.place = declared_at(child);
    functions.push_back(std::move(function));
  });
  return functions;
}

ClassLayout read_objects(Dwarf_Die type, const ClassName& name) {
  ClassLayout layout;
  layout.name = name;
  layout.place = declared_at(type);
  layout.size = size_of_type(type);
  layout.alignment = number_of(type, DW_AT_alignment).value_or(0);
  layout.has_vptr = has_vtable_pointer(type);
  layout.bases = bases_of(type);
  add_fields(type, 0, layout.fields);
  return layout;
}

ClassLayout read_layout(Dwarf_Die type, const ClassName& name) {
  ClassLayout layout = read_objects(type, name);
  layout.functions = functions_of(type, name);
  return layout;
}

void add_functions(ClassLayout& to, std::vector<MemberFunction> functions) {
  for (MemberFunction& function : functions) {
    const bool is_known = std::any_of(to.functions.begin(), to.functions.end(),
                                      [&](const MemberFunction& known) { return known.name == function.name; });
    if (!is_known) to.functions.push_back(std::move(function));
  }
}

/// The definitions of one module; equal ones count once.
std::vector<ClassLayout> layouts_of(const DebugInfo& info, const ClassName& name) {
  std::vector<ClassLayout> layouts;
  std::set<const void*> seen;
  for (const DebugUnit* unit : units_of(info, name)) {
    visit_classes(unit->content, {}, [&](const Dwarf_Die& die, const std::string& scope) {
      if (!is_class(die, scope, name)) return;
      const Dwarf_Die type = full_class(die);
      if (!is_definition(type) || !seen.insert(type.addr).second) return;
      ClassLayout layout = read_layout(type, name);
      const auto alike = std::find_if(layouts.begin(), layouts.end(),
                                      [&](const ClassLayout& known) { return is_same_layout(known, layout); });
      if (alike == layouts.end())
        layouts.push_back(std::move(layout));
      else
        add_functions(*alike, std::move(layout.functions));
    });
  }
  return layouts;
}

/// Either shape or size may be unknown.
bool may_be_equal(const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; }
bool may_be_equal(std::uint64_t a, std::uint64_t b) { return a == 0 || b == 0 || a == b; }

char variant_of(const std::string& mangled) {
  // The digit of the last component; the parameters or the arguments of a template follow.
  for (std::size_t at = mangled.size(); at-- > 3;) {
    const bool is_variant =
        (mangled[at - 1] == 'C' || mangled[at - 1] == 'D') && mangled[at] >= '0' && mangled[at] <= '2';
    if (is_variant && at + 1 < mangled.size() &&
        (mangled[at + 1] == 'E' || mangled[at + 1] == 'I' || mangled[at + 1] == 'B'))
      return mangled[at];
  }
  return 0;
}

}  // namespace

ClassLayout class_layout(const Dwarf_Die& type, const ClassName& name) {
  ClassLayout layout = read_objects(type, name);
  if (layout.has_vptr) layout.functions = functions_of(type, name);
  return layout;
}

std::string declared_name(const Dwarf_Die& member, const ClassName& of_class) {
  const std::string_view linkage = linkage_name_of({member});
  return linkage.empty() ? composed_name(member, of_class) : demangle(std::string(linkage));
}

std::vector<ClassLayout> class_layouts(const Program& program, const ClassName& name) {
  std::unordered_map<const ModuleSymbols*, std::vector<ClassLayout>> by_file;
  std::vector<ClassLayout> layouts;
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const ModuleSymbols* symbols = program.may_know(i, name) ? program.symbols_of(i) : nullptr;
    const DebugInfo* info = symbols != nullptr ? symbols->debug_info() : nullptr;
    if (info == nullptr || info->lacks_supplementary_file()) continue;
    const auto [found, is_new] = by_file.try_emplace(symbols);
    if (is_new) found->second = layouts_of(*info, name);
    for (ClassLayout layout : found->second) {
      layout.module = program.modules()[i].path;
      layouts.push_back(std::move(layout));
    }
  }
  return layouts;
}

std::vector<MemberCode> member_code(const Program& program, const ClassName& of_class) {
  std::vector<MemberCode> code;
  for (FunctionSymbol& symbol : program.members_of(of_class)) {
    const bool has_variants = of_class.names_constructor_or_destructor(last_name_of(qualified_name(symbol.demangled)));
    const char variant = has_variants ? variant_of(symbol.mangled) : '\0';
    code.push_back({std::move(symbol), variant});
  }
  return code;
}

bool is_same_layout(const ClassLayout& a, const ClassLayout& b) {
  const auto same_base = [](const ClassBase& one, const ClassBase& other) {
    return one.type == other.type && one.offset == other.offset && one.is_virtual == other.is_virtual &&
           may_be_equal(one.shape, other.shape);
  };
  const auto same_field = [](const ClassField& one, const ClassField& other) {
    return one.name == other.name && may_be_equal(one.type, other.type) && one.offset == other.offset &&
           one.bit == other.bit && one.bits == other.bits && may_be_equal(one.size, other.size) &&
           may_be_equal(one.shape, other.shape);
  };
  return a.size == b.size && a.alignment == b.alignment && a.has_vptr == b.has_vptr &&
         std::equal(a.bases.begin(), a.bases.end(), b.bases.begin(), b.bases.end(), same_base) &&
         std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(), same_field);
}

}  // namespace moult::internal
