// Why: code that was compiled with the old layout goes on reading objects at the old offsets. It may where all that it
// knows has stayed in place, and may not anywhere else.
//
// How: fields are matched by name, bases by order, virtual functions by their place in the vtable. What the old layout
// has must be in the new one as it was: same place, same type, and the type made of the same. What is new must lie
// behind all of it, not in its gaps: an assignment of an old whole may copy gaps over.
//
// Limits: a field that kept its name, place and type and changed its meaning looks the same. Of a type that one side
// only declares no more than the name is compared.
#include "symbols/layout_comparison.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "symbols/class_names.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {
namespace {

bool is_same_if_known(const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; }

/// Nothing of it is in an object.
bool is_empty(const ClassBase& base) { return !base.is_virtual && base.shape.rfind("{}", 0) == 0; }

std::string place_of(const ClassField& field) {
  std::string text = std::to_string(field.offset);
  return field.bits == 0 ? text : text + " bit " + std::to_string(field.bit);
}

std::string name_with_type(const ClassField& field) {
  std::string text = readable(field.type) + " " + (field.name.empty() ? "(no name)" : field.name);
  return field.bits == 0 ? text : text + " : " + std::to_string(field.bits);
}

class Comparison final {
 public:
  Comparison(const ClassLayout& old, const ClassLayout& replacement) : old_(old), replacement_(replacement) {}

  LayoutComparison run() {
    compare_vptr();
    compare_bases();
    compare_fields();
    compare_functions();
    compare_sizes();
    for (const LayoutDifference& difference : result_.differences)
      result_.verdict =
          std::max(result_.verdict, difference.is_append ? LayoutVerdict::append_only : LayoutVerdict::incompatible);
    return std::move(result_);
  }

 private:
  void add(DifferenceKind kind, std::string text, bool is_append = false) {
    result_.differences.push_back({kind, std::move(text), is_append});
  }

  void compare_vptr() {
    if (!old_.has_vptr && replacement_.has_vptr)
      add(DifferenceKind::became_virtual,
          "virtual functions: " + replacement_.name.text() + " has some, " + old_.name.text() + " has none");
    if (old_.has_vptr && !replacement_.has_vptr)
      add(DifferenceKind::became_plain,
          "virtual functions: " + old_.name.text() + " has some, " + replacement_.name.text() + " has none");
  }

  std::vector<const ClassBase*> bases_of(const ClassLayout& layout) const {
    std::vector<const ClassBase*> bases;
    for (const ClassBase& base : layout.bases)
      if (!is_empty(base)) bases.push_back(&base);
    return bases;
  }

  void compare_bases() {
    const std::vector<const ClassBase*> olds = bases_of(old_);
    const std::vector<const ClassBase*> replacement = bases_of(replacement_);
    for (std::size_t i = 0; i < std::max(olds.size(), replacement.size()); ++i) {
      if (i >= olds.size())
        add(DifferenceKind::base_added, "base added: " + readable(replacement[i]->type));
      else if (i >= replacement.size())
        add(DifferenceKind::base_removed, "base removed: " + readable(olds[i]->type));
      else
        compare_base(*olds[i], *replacement[i]);
    }
  }

  void compare_base(const ClassBase& old, const ClassBase& replacement) {
    const std::string type = renamed(replacement.type, replacement_.name, old_.name);
    if (!is_same_if_known(type, old.type))
      return add(DifferenceKind::base_changed,
                 "base changed: " + readable(old.type) + " is " + readable(replacement.type) + " now");
    if (old.is_virtual != replacement.is_virtual || old.offset != replacement.offset)
      return add(DifferenceKind::base_changed, "base moved: " + readable(old.type));
    if (!is_same_if_known(old.shape, replacement.shape))
      add(DifferenceKind::base_changed, "base changed: " + readable(old.type) + " is laid out otherwise in the update");
  }

  static const ClassField* find(const ClassLayout& layout, const std::string& name) {
    const auto found = std::find_if(layout.fields.begin(), layout.fields.end(),
                                    [&](const ClassField& field) { return field.name == name; });
    return found != layout.fields.end() ? &*found : nullptr;
  }

  bool is_same_type(const ClassField& old, const ClassField& replacement) const {
    return is_same_if_known(old.type, renamed_type(replacement.type, replacement_.name, old_.name));
  }

  void compare_fields() {
    for (const ClassField& old : old_.fields) {
      const ClassField* replacement = find(replacement_, old.name);
      if (replacement != nullptr)
        compare_field(old, *replacement);
      else
        report_lost(old);
    }
    for (const ClassField& replacement : replacement_.fields)
      if (find(old_, replacement.name) == nullptr && renamed_from(replacement) == nullptr) report_added(replacement);
  }

  void compare_field(const ClassField& old, const ClassField& replacement) {
    if (!is_same_type(old, replacement) || old.bits != replacement.bits)
      return add(DifferenceKind::field_retyped,
                 "retyped: " + name_with_type(old) + " is " + name_with_type(replacement) + " now");
    if (!is_same_if_known(old.shape, replacement.shape) ||
        (old.size != replacement.size && old.size != 0 && replacement.size != 0))
      add(DifferenceKind::field_retyped,
          "retyped: " + name_with_type(old) + ", whose type is laid out otherwise in the update");
    if (old.offset != replacement.offset || old.bit != replacement.bit)
      add(DifferenceKind::field_moved,
          "moved: " + name_with_type(old) + ", from " + place_of(old) + " to " + place_of(replacement));
  }

  /// The old field that is called otherwise in the new layout, or null.
  const ClassField* renamed_from(const ClassField& replacement) const {
    for (const ClassField& old : old_.fields)
      if (renamed_to(old) == &replacement) return &old;
    return nullptr;
  }
  const ClassField* renamed_to(const ClassField& old) const {
    if (find(replacement_, old.name) != nullptr) return nullptr;
    for (const ClassField& replacement : replacement_.fields) {
      const bool is_there =
          replacement.offset == old.offset && replacement.bit == old.bit && replacement.bits == old.bits;
      if (is_there && is_same_type(old, replacement) && find(old_, replacement.name) == nullptr) return &replacement;
    }
    return nullptr;
  }

  void report_lost(const ClassField& old) {
    const ClassField* other = renamed_to(old);
    if (other != nullptr)
      add(DifferenceKind::field_renamed, "renamed: " + name_with_type(old) + " to " + other->name);
    else
      add(DifferenceKind::field_removed, "removed: " + name_with_type(old) + ", at " + place_of(old));
  }

  void report_added(const ClassField& replacement) {
    std::uint64_t end = 0;
    for (const ClassField& old : old_.fields) end = std::max(end, old.offset + std::max<std::uint64_t>(old.size, 1));
    const bool is_behind = replacement.offset >= end && replacement.offset >= end_of_bases();
    add(DifferenceKind::field_added,
        "added: " + name_with_type(replacement) + ", at " + place_of(replacement) +
            (is_behind ? "" : ", before the end of the old ones"),
        is_behind);
  }

  /// The place of the last base and the least it can take: a base of which no size is known ends where fields begin.
  std::uint64_t end_of_bases() const {
    std::uint64_t end = old_.has_vptr ? sizeof(void*) : 0;
    for (const ClassBase& base : old_.bases) end = std::max(end, base.offset.value_or(0));
    return end;
  }

  /// Destructors have two places, which compilers do not tell; those of the functions behind them do.
  void compare_functions() {
    std::optional<std::uint64_t> last;
    for (const MemberFunction& old : old_.functions) {
      if (!old.slot) continue;
      last = std::max(last.value_or(0), *old.slot);
      const MemberFunction* replacement = in_slot(*old.slot, old.name);
      if (replacement == nullptr)
        add(DifferenceKind::function_moved,
            "virtual function: " + old.name + " is not at its place in the vtable of " + replacement_.name.text());
    }
    for (const MemberFunction& replacement : replacement_.functions) {
      if (!replacement.slot || has_function(renamed_member(replacement.name, replacement_.name, old_.name))) continue;
      // What is not behind, and yet took nobody's place, overrides a function of a base.
      const bool is_override = overrides_are_possible() && !is_taken(*replacement.slot);
      const bool is_behind = is_override || (old_.has_vptr && *replacement.slot > last.value_or(0));
      add(DifferenceKind::function_added,
          "virtual function added: " + replacement.name + (is_behind ? "" : ", before the end of the old ones"),
          is_behind);
      result_.differences.back().slot = replacement.slot;
    }
  }

  bool overrides_are_possible() const {
    return std::any_of(old_.bases.begin(), old_.bases.end(), [](const ClassBase& base) { return base.has_vptr; });
  }
  bool is_taken(std::uint64_t slot) const {
    return std::any_of(old_.functions.begin(), old_.functions.end(),
                       [&](const MemberFunction& old) { return old.slot == slot; });
  }
  const MemberFunction* in_slot(std::uint64_t slot, const std::string& name) const {
    for (const MemberFunction& replacement : replacement_.functions)
      if (replacement.slot == slot &&
          renamed_member(replacement.name, replacement_.name, old_.name) == without_abi_tags(name))
        return &replacement;
    return nullptr;
  }
  bool has_function(const std::string& name) const {
    return std::any_of(old_.functions.begin(), old_.functions.end(),
                       [&](const MemberFunction& old) { return old.is_virtual && without_abi_tags(old.name) == name; });
  }

  void compare_sizes() {
    if (old_.alignment != replacement_.alignment)
      add(DifferenceKind::resized,
          "alignment: " + std::to_string(old_.alignment) + ", now " + std::to_string(replacement_.alignment));
    if (old_.size == replacement_.size) return;
    const bool is_larger = replacement_.size > old_.size;
    add(DifferenceKind::resized,
        "size: " + std::to_string(old_.size) + " bytes, now " + std::to_string(replacement_.size), is_larger);
  }

  const ClassLayout& old_;
  const ClassLayout& replacement_;
  LayoutComparison result_;
};

}  // namespace

std::string_view name_of(DifferenceKind kind) noexcept {
  switch (kind) {
    case DifferenceKind::field_added: return "field_added";
    case DifferenceKind::field_removed: return "field_removed";
    case DifferenceKind::field_renamed: return "field_renamed";
    case DifferenceKind::field_moved: return "field_moved";
    case DifferenceKind::field_retyped: return "field_retyped";
    case DifferenceKind::base_added: return "base_added";
    case DifferenceKind::base_removed: return "base_removed";
    case DifferenceKind::base_changed: return "base_changed";
    case DifferenceKind::became_virtual: return "became_virtual";
    case DifferenceKind::became_plain: return "became_plain";
    case DifferenceKind::function_moved: return "function_moved";
    case DifferenceKind::function_added: return "function_added";
    case DifferenceKind::resized: return "resized";
  }
  return "unknown";
}

LayoutComparison compare_layouts(const ClassLayout& old, const ClassLayout& replacement) {
  return Comparison(old, replacement).run();
}

std::string describe(const LayoutComparison& comparison) {
  std::string text;
  for (const LayoutDifference& difference : comparison.differences)
    text += (text.empty() ? "" : "\n") + difference.text;
  return text;
}

}  // namespace moult::internal
