// Problem: a container holds its elements through pointers whose types lead to one value, or to none at all.
//
// Approach: the library's classes are known by name. The places of links and elements, in the container and in its
// nodes, are read from the debug information, by the names of the library's own members; these have been stable since
// GCC 5. The template of a container's nodes is found by its argument, the element.
//
// Limits: no allocators with pointer classes, and not what the library's debug mode stores beside containers. Other
// standard libraries are recognised, but not followed.
#include "symbols/container_shape.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "symbols/class_walk.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/type_name.hpp"

namespace moult::internal {
namespace {

constexpr int deepest_container = 40;  // only damaged files nest deeper

struct Member {
  std::uint64_t offset = 0;
  Dwarf_Die type{};  ///< typedefs and qualifiers followed
};

/// Thrown when the debug information of a container lacks something.
struct Unknown {};

class ShapeReader final {
 public:
  ShapeReader(const TypeIndex& index, const Dwarf_Die& type) : index_(index), type_(type) {}

  ContainerShape range() const {
    const Member start = member({"_M_impl", "_M_start"});
    if (dwarf_tag(const_cast<Dwarf_Die*>(&start.type)) != DW_TAG_pointer_type) return {};  // std::vector<bool>
    ContainerShape shape = made(Shape::range, target_of(start));
    shape.at.begin = start.offset;
    shape.at.end = member({"_M_impl", "_M_finish"}).offset;
    shape.at.limit = member({"_M_impl", "_M_end_of_storage"}).offset;
    return shape;
  }

  ContainerShape deque() const {
    const Member start = member({"_M_impl", "_M_start", "_M_cur"});
    ContainerShape shape = made(Shape::deque, target_of(start));
    shape.at.begin = start.offset;
    shape.at.end = member({"_M_impl", "_M_finish", "_M_cur"}).offset;
    shape.at.limit = member({"_M_impl", "_M_map"}).offset;
    shape.at.count = member({"_M_impl", "_M_map_size"}).offset;
    require_in_a_row(start.offset, {"_M_first", "_M_last", "_M_node"});
    return shape;
  }

  ContainerShape list() const {
    const Member head = member({"_M_impl", "_M_node"});
    ContainerShape shape = with_nodes(Shape::list, list_node, argument(type_, 0));
    shape.at.begin = head.offset;
    shape.at.count = member({"_M_impl", "_M_node", "_M_size"}).offset;
    shape.at.next = below(head.type, "_M_next").offset;
    shape.at.previous = below(head.type, "_M_prev").offset;
    return shape;
  }

  ContainerShape forward_list() const {
    const Member head = member({"_M_impl", "_M_head"});
    ContainerShape shape = with_nodes(Shape::chain, forward_list_node, argument(type_, 0));
    shape.at.next = below(head.type, "_M_next").offset;
    shape.at.begin = head.offset + shape.at.next;
    return shape;
  }

  ContainerShape hash() const {
    const Member table = member({"_M_h"});
    const Member before = member({"_M_h", "_M_before_begin"});
    ContainerShape shape = with_nodes(Shape::chain, hash_node, argument(table.type, 1));
    shape.at.next = below(before.type, "_M_nxt").offset;
    shape.at.begin = before.offset + shape.at.next;
    shape.at.count = member({"_M_h", "_M_element_count"}).offset;
    return shape;
  }

  ContainerShape tree() const {
    const Member table = member({"_M_t"});
    const Member header = member({"_M_t", "_M_impl", "_M_header"});
    ContainerShape shape = with_nodes(Shape::tree, tree_node, argument(table.type, 1));
    shape.at.begin = header.offset;
    shape.at.count = member({"_M_t", "_M_impl", "_M_node_count"}).offset;
    shape.at.parent = below(header.type, "_M_parent").offset;
    shape.at.left = below(header.type, "_M_left").offset;
    shape.at.right = below(header.type, "_M_right").offset;
    return shape;
  }

  ContainerShape optional() const {
    const Member value = member({"_M_payload", "_M_payload", "_M_value"});
    ContainerShape shape = made(Shape::optional, value.type);
    shape.at.begin = member({"_M_payload", "_M_engaged"}).offset;
    shape.at.value = value.offset;
    return shape;
  }

  ContainerShape unique() const {
    if (is_array(argument(type_, 0))) return not_followed("arrays behind a std::unique_ptr, whose length is not known");
    const Member data = member({"_M_t", "_M_t"});
    const std::optional<Member> holder = base_named(data.type, "_Head_base<0", 0);
    if (!holder) throw Unknown{};
    const Member pointer = below(holder->type, "_M_head_impl");
    Dwarf_Die type = pointer.type;
    if (dwarf_tag(&type) != DW_TAG_pointer_type) throw Unknown{};
    ContainerShape shape = made(Shape::pointer, bare_type_of(type));
    shape.at.begin = data.offset + holder->offset + pointer.offset;
    shape.pointing = Pointing::unique;
    return shape;
  }

  ContainerShape counted(Pointing pointing) const {
    if (is_array(argument(type_, 0))) return not_followed("arrays behind a std::shared_ptr, whose length is not known");
    const Member pointer = member({"_M_ptr"});
    const Member count = member({"_M_refcount", "_M_pi"});
    Dwarf_Die type = pointer.type;
    ContainerShape shape = made(Shape::pointer, bare_type_of(type));
    shape.at.begin = pointer.offset;
    shape.at.count = count.offset;
    shape.at.value = below(target_of(count), "_M_use_count").offset;
    shape.pointing = pointing;
    return shape;
  }

  static ContainerShape not_followed(std::string what, Shape shape = Shape::untyped) {
    ContainerShape result;
    result.shape = shape;
    result.untyped = std::move(what);
    return result;
  }

 private:
  static ContainerShape made(Shape shape, std::optional<Dwarf_Die> element) {
    ContainerShape result;
    result.shape = shape;
    result.element = element;
    return result;
  }

  Member member(std::initializer_list<const char*> path) const {
    Member at{0, type_};
    for (const char* name : path) {
      const Member inner = below(at.type, name);
      at = {at.offset + inner.offset, inner.type};
    }
    return at;
  }

  Member below(const Dwarf_Die& type, std::string_view name) const {
    const std::optional<Member> found = find(type, name, 0);
    if (!found) throw Unknown{};
    return *found;
  }

  std::optional<Member> find(const Dwarf_Die& type, std::string_view name, int depth) const {
    std::optional<Member> found;
    for_each_child(defined_class(index_, type), [&](Dwarf_Die& child) {
      const int tag = dwarf_tag(&child);
      if (found || depth > deepest_container || (tag != DW_TAG_member && tag != DW_TAG_inheritance)) return;
      const std::optional<Dwarf_Die> bare = bare_type_of(child);
      const std::uint64_t offset = number_of(child, DW_AT_data_member_location).value_or(0);
      if (!bare) return;
      if (tag == DW_TAG_member && plain_name_of(child) == name) found = Member{offset, *bare};
      if (tag != DW_TAG_inheritance) return;
      found = find(*bare, name, depth + 1);
      if (found) found->offset += offset;
    });
    return found;
  }

  std::optional<Member> base_named(const Dwarf_Die& type, std::string_view beginning, int depth) const {
    std::optional<Member> found;
    for_each_child(defined_class(index_, type), [&](Dwarf_Die& child) {
      if (found || depth > deepest_container || dwarf_tag(&child) != DW_TAG_inheritance) return;
      const std::optional<Dwarf_Die> bare = bare_type_of(child);
      const std::uint64_t offset = number_of(child, DW_AT_data_member_location).value_or(0);
      if (!bare) return;
      found = plain_name_of(*bare).starts_with(beginning) ? Member{0, *bare} : base_named(*bare, beginning, depth + 1);
      if (found) found->offset += offset;
    });
    return found;
  }

  /// The words of a deque's iterator are consecutive.
  void require_in_a_row(std::uint64_t first, std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      first += sizeof(void*);
      if (member({"_M_impl", "_M_start", name}).offset != first) throw Unknown{};
    }
  }

  static Dwarf_Die target_of(const Member& pointer) {
    Dwarf_Die type = pointer.type;
    const std::optional<Dwarf_Die> target = dwarf_tag(&type) == DW_TAG_pointer_type ? bare_type_of(type) : std::nullopt;
    if (!target) throw Unknown{};
    return *target;
  }

  static bool is_array(Dwarf_Die type) { return dwarf_tag(&type) == DW_TAG_array_type; }

  Dwarf_Die argument(const Dwarf_Die& type, std::size_t number) const {
    const std::vector<Dwarf_Die> arguments = template_arguments(defined_class(index_, type));
    if (number >= arguments.size()) throw Unknown{};
    return arguments[number];
  }

  /// The place of the element in a node of `node_template`.
  ContainerShape with_nodes(Shape shape, std::string_view node_template, const Dwarf_Die& element) const {
    for (const std::size_t number : index_.nodes(node_template)) {
      const IndexedClass& node = index_.classes()[number];
      if (!node.definition || node.is_ambiguous) continue;
      const std::vector<Dwarf_Die> arguments = template_arguments(*node.definition);
      if (arguments.empty() || !is_same(arguments[0], element, 0)) continue;
      ContainerShape result = made(shape, element);
      result.at.value = below(*node.definition, "_M_storage").offset;
      return result;
    }
    throw Unknown{};
  }

  bool is_same(Dwarf_Die a, Dwarf_Die b, int depth) const {
    const int tag = dwarf_tag(&a);
    if (a.addr == b.addr) return true;
    if (is_class_tag(tag) && is_class_tag(dwarf_tag(&b))) return index_.class_of(a) == index_.class_of(b);
    if (tag != dwarf_tag(&b) || depth > deepest_container) return false;
    const bool is_made_of_another = tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
                                    tag == DW_TAG_rvalue_reference_type || tag == DW_TAG_array_type;
    if (!is_made_of_another) return plain_name_of(a) == plain_name_of(b) && size_of_type(a) == size_of_type(b);
    const std::optional<Dwarf_Die> of_a = bare_type_of(a);
    const std::optional<Dwarf_Die> of_b = bare_type_of(b);
    if (!of_a || !of_b) return !of_a && !of_b;
    return size_of_type(a) == size_of_type(b) && is_same(*of_a, *of_b, depth + 1);
  }

  const TypeIndex& index_;
  Dwarf_Die type_;
};

using Read = ContainerShape (*)(const ShapeReader& reader);

struct Known {
  std::string_view name;
  std::string_view plural;
  Read read;
};

constexpr std::array<Known, 22> known_classes{{
    {"std::vector<", "std::vector", [](const ShapeReader& reader) { return reader.range(); }},
    {"std::deque<", "std::deque", [](const ShapeReader& reader) { return reader.deque(); }},
    {"std::list<", "std::list", [](const ShapeReader& reader) { return reader.list(); }},
    {"std::forward_list<", "std::forward_list", [](const ShapeReader& reader) { return reader.forward_list(); }},
    {"std::map<", "std::map", [](const ShapeReader& reader) { return reader.tree(); }},
    {"std::multimap<", "std::multimap", [](const ShapeReader& reader) { return reader.tree(); }},
    {"std::set<", "std::set", [](const ShapeReader& reader) { return reader.tree(); }},
    {"std::multiset<", "std::multiset", [](const ShapeReader& reader) { return reader.tree(); }},
    {"std::unordered_map<", "std::unordered_map", [](const ShapeReader& reader) { return reader.hash(); }},
    {"std::unordered_multimap<", "std::unordered_multimap", [](const ShapeReader& reader) { return reader.hash(); }},
    {"std::unordered_set<", "std::unordered_set", [](const ShapeReader& reader) { return reader.hash(); }},
    {"std::unordered_multiset<", "std::unordered_multiset", [](const ShapeReader& reader) { return reader.hash(); }},
    {"std::optional<", "std::optional", [](const ShapeReader& reader) { return reader.optional(); }},
    {"std::unique_ptr<", "std::unique_ptr", [](const ShapeReader& reader) { return reader.unique(); }},
    {"std::shared_ptr<", "std::shared_ptr", [](const ShapeReader& reader) { return reader.counted(Pointing::shared); }},
    {"std::weak_ptr<", "std::weak_ptr", [](const ShapeReader& reader) { return reader.counted(Pointing::weak); }},
    {"std::variant<", "", [](const ShapeReader& reader) { return reader.not_followed("std::variant", Shape::choice); }},
    {"std::function<", "", [](const ShapeReader& reader) { return reader.not_followed("std::function"); }},
    {"std::move_only_function<", "",
     [](const ShapeReader& reader) { return reader.not_followed("std::move_only_function"); }},
    {"std::any", "", [](const ShapeReader& reader) { return reader.not_followed("std::any"); }},
    {"std::basic_string<", "", [](const ShapeReader&) { return ContainerShape{}; }},
    {"std::__1::", "", [](const ShapeReader& reader) { return reader.not_followed("classes of libc++"); }},
}};

}  // namespace

Dwarf_Die defined_class(const TypeIndex& index, const Dwarf_Die& type) {
  Dwarf_Die from = full_class(type);
  if (is_definition(from)) return from;
  const std::optional<std::size_t> number = index.class_of(from);
  return number && index.classes()[*number].definition ? *index.classes()[*number].definition : from;
}

std::vector<Dwarf_Die> template_arguments(const Dwarf_Die& type) {
  std::vector<Dwarf_Die> arguments;
  const auto add = [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_template_type_parameter) return;
    if (const std::optional<Dwarf_Die> argument = bare_type_of(child)) arguments.push_back(*argument);
  };
  for_each_child(type, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) == DW_TAG_GNU_template_parameter_pack) return for_each_child(child, add);
    add(child);
  });
  return arguments;
}

std::optional<ContainerShape> container_shape(const TypeIndex& index, const Dwarf_Die& type, std::string_view name) {
  if (!name.starts_with("std::")) return std::nullopt;
  const std::string plain = plain_library_name(name);
  const auto known = std::find_if(known_classes.begin(), known_classes.end(), [&](const Known& candidate) {
    return plain.starts_with(candidate.name) &&
           (plain.size() == candidate.name.size() || candidate.name.ends_with('<') || candidate.name.ends_with(':'));
  });
  if (known == known_classes.end()) return std::nullopt;
  try {
    return known->read(ShapeReader(index, type));
  } catch (const Unknown&) {
    return ShapeReader::not_followed(std::string(known->plural) + " that the debug information does not describe");
  }
}

}  // namespace moult::internal
