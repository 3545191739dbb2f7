// The source must include moult/detail/edited_class.hpp, which has what is done to each kind of field.
//
// Limits, each a refusal: classes without a pool of their own, templates, classes in functions; fields that are
// references or have no name, new ones of a number's or pointer's type without an initialiser; bit-fields that move;
// bases that change. Fields that move must have a move constructor that is noexcept.
#include "diff/class_conversion.hpp"

#include <dwarf.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "symbols/class_walk.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/layout_comparison.hpp"

namespace moult::internal::diff {
namespace {

enum class Change { kept, moved, retyped, added };

struct Field {
  const std::string* owner = nullptr;  ///< the class that declares it
  const ClassField* fresh = nullptr;
  const ClassField* old = nullptr;  ///< null if it is new
  Change change = Change::kept;
  std::string initialiser{};  ///< of a new one
};

bool is_number(const ClassField& field) { return field.shape.starts_with("n"); }
bool is_enumeration(const ClassField& field) { return field.shape.starts_with("enum"); }
bool is_atomic(const ClassField& field) { return field.type.starts_with("std::atomic<"); }
bool is_array(const ClassField& field) { return field.shape.starts_with("["); }
/// A class, or an array of them.
bool is_class(const ClassField& field) {
  const std::size_t element = is_array(field) ? field.shape.find(']') + 1 : 0;
  return field.shape.substr(element).starts_with("{");
}
/// A class without data: "{}1", "{0:{}1 }1".
bool is_empty_class(const ClassField& field) {
  return is_class(field) && !is_array(field) && field.shape.find_first_not_of("{}0123456789: ") == std::string::npos;
}
bool is_same_type(const ClassField& a, const ClassField& b) {
  return a.type == b.type && a.shape == b.shape && a.size == b.size && a.bits == b.bits;
}

/// Of numbers, those of atomic ones included: what a base type is, by DW_ATE_*, and its bytes.
struct NumberKind {
  unsigned long encoding = 0;  ///< 0: not known, as of an enumeration
  std::uint64_t size = 0;

  bool is_real() const noexcept { return encoding == DW_ATE_float; }
  bool is_signed() const noexcept { return encoding == DW_ATE_signed || encoding == DW_ATE_signed_char; }
};

NumberKind number_kind(const ClassField& field) {
  const std::size_t at = field.shape.find('n');
  if (is_enumeration(field) || at == std::string::npos) return {0, field.size};
  return {std::strtoul(field.shape.c_str() + at + 1, nullptr, 10), field.size};
}

/// Some values of the old type have no equal in the new one.
bool may_lose(const NumberKind& from, const NumberKind& to) {
  if (from.encoding == 0 || to.encoding == 0) return to.size < from.size;
  if (to.encoding == DW_ATE_boolean) return from.encoding != DW_ATE_boolean;
  if (from.is_real() != to.is_real()) return from.is_real() || from.size >= to.size;
  if (from.is_signed() == to.is_signed() || from.is_real()) return to.size < from.size;
  return from.is_signed() || to.size <= from.size;
}

/// Bytes of the slots in the class's own pool, at most, by its base moult::Updatable<Item, 64>. Over-aligned classes
/// have larger ones.
std::uint64_t slot_size_of(const WholeClass& whole) {
  constexpr std::uint64_t alignment = 16;
  const std::string& pool = whole.pool_base;
  const std::uint64_t reserve = std::strtoull(pool.c_str() + pool.rfind(',') + 1, nullptr, 10);
  const std::uint64_t wanted = std::max(whole.layout.size + reserve, alignment);
  return reserve == 0 ? wanted : (wanted + alignment - 1) / alignment * alignment;
}

bool overlap(const ClassField& a, const ClassField& b) {
  if (a.bits != 0 || b.bits != 0 || is_empty_class(a) || is_empty_class(b)) return false;
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

std::string in_quotes(const std::string& text) {
  std::string all = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') all += '\\';
    all += each == '\n' ? ' ' : each;
  }
  return all + '"';
}

/// "::app::Item" of "app::(anonymous namespace)::Item".
std::string spelled(const std::string& name) {
  static constexpr std::string_view unnamed = "(anonymous namespace)::";
  std::string text = "::" + name;
  for (std::size_t at = 0; (at = text.find(unnamed, at)) != std::string::npos;) text.erase(at, unnamed.size());
  return text;
}

std::optional<Dwarf_Die> base_of(const Dwarf_Die& inheritance) {
  const std::optional<Dwarf_Die> type = bare_type_of(inheritance);
  return type ? std::optional(full_class(*type)) : std::nullopt;
}

/// Adds the part of the object that `type`, the class `name`, is from `offset` on.
void add_part(WholeClass& whole, const Dwarf_Die& type, const std::string& name, std::uint64_t offset,
              const std::set<std::string>& changed, int depth = 0) {
  constexpr int deepest = 30;  // only damaged files nest deeper
  const ClassLayout layout = class_layout(type, ClassName(name));
  whole.places.emplace(name, layout.place);
  std::size_t number = 0;
  for_each_child(type, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) == DW_TAG_subprogram && plain_name_of(child) == "operator new")
      whole.problem = name + " has an operator new of its own, so that moult does not find its objects";
    if (dwarf_tag(&child) != DW_TAG_inheritance || number >= layout.bases.size() || depth > deepest) return;
    const ClassBase& base = layout.bases[number++];
    if (base.type.starts_with("moult::Updatable<" + name + ",")) {
      if (!whole.pool.empty()) whole.problem = "it has two pools";
      whole.pool = name;
      whole.pool_base = base.type;
    }
    if (base.type.starts_with("moult::Updatable<")) return;
    const std::optional<Dwarf_Die> part = base_of(child);
    if (base.is_virtual || !part) {
      whole.problem = "its base " + base.type + " is a virtual one";
    } else if (changed.contains(base.type)) {
      if (base.has_vptr && offset + *base.offset > 0)
        whole.problem = "its base " + base.type + " has a table of virtual functions of its own";
      add_part(whole, *part, base.type, offset + *base.offset, changed, depth + 1);
    } else {
      ClassField field{{}, base.type, offset + *base.offset, size_of_type(*part), 0, 0, base.shape};
      whole.fields.push_back({name, std::move(field)});
    }
  });
  for (ClassField field : layout.fields) {
    field.offset += offset;
    whole.fields.push_back({name, std::move(field)});
  }
}

class Converter final {
 public:
  Converter(const ClassEdit& edit, const PreprocessedSource& source, int number)
      : edit_(edit), source_(source), number_(std::to_string(number)) {}

  ClassConversion run();

 private:
  void refuse(const std::string& why) { result_.refusals.push_back(why); }
  void compare();
  void compare_bases();
  void judge_size();
  Field compare(const InheritedField& fresh) const;
  void judge(Field& field);
  void judge_empties();
  void judge_retyped(const Field& field);
  /// The compiler tells whether `condition` is true of the class.
  void require(const std::string& condition, const std::string& otherwise);
  void judge_new(Field& field);
  bool is_made_later(const Field& field, const std::string& name) const;
  void judge_aside(const Field& field);
  bool is_in_place() const;
  std::string steps();
  std::string step_of(const Field& field);
  std::string construct(const Field& field) const;
  std::string type_of(const Field& field) const {
    return "decltype(" + spelled(*field.owner) + "::" + field.fresh->name + ")";
  }
  static std::string old_type_of(const Field& field) {
    return is_number(*field.old) ? field.old->type : spelled(field.old->type);
  }
  std::string member_of(const Field& field) const { return "&" + spelled(*field.owner) + "::" + field.fresh->name; }
  std::string entry() const;
  std::string answers();
  std::optional<ClassBody> body_of(const std::string& owner) const {
    return source_.class_body(ClassName(owner).identifier(), edit_.fresh.places.at(owner));
  }

  const ClassEdit& edit_;
  const PreprocessedSource& source_;
  std::string number_;
  std::vector<Field> fields_;               ///< of the new layout, but for those that are kept
  std::vector<const ClassField*> removed_;  ///< of the old one
  std::string conditions_;                  ///< that the compiler tells of: "a, b, "
  int begins_ = 0;                          ///< functions that construct new fields
  ClassConversion result_;
};

ClassConversion Converter::run() {
  if (edit_.name.find('<') != std::string::npos)
    refuse("it is a template; an update that redefines it converts its objects");
  else
    compare();
  if (!result_.refusals.empty()) return std::move(result_);
  const std::string alias = "using Class = " + spelled(edit_.name) + ";\n";
  const std::string made = steps();  // puts what it needs in front
  result_.behind += "namespace moult_edit_" + number_ + " {\n" + alias + "using Steps = " + made + ";\n" + entry() +
                    answers() + "}\n";
  return std::move(result_);
}

/// All that is new lies behind what was there.
bool Converter::is_in_place() const {
  return removed_.empty() &&
         std::ranges::all_of(fields_, [](const Field& each) { return each.change == Change::added; });
}

void Converter::compare() {
  compare_bases();
  judge_size();
  std::set<const ClassField*> known;
  for (const InheritedField& fresh : edit_.fresh.fields) {
    Field field = compare(fresh);
    if (field.old != nullptr) known.insert(field.old);
    if (field.old != nullptr && field.old->name != field.fresh->name)
      result_.notes.push_back(edit_.name + "::" + field.fresh->name + " goes on with the value of " + field.old->name +
                              ", which was in its place");
    if (field.change != Change::kept) fields_.push_back(std::move(field));
  }
  for (const InheritedField& old : edit_.old.fields)
    if (!known.contains(&old.field)) removed_.push_back(&old.field);
  judge_empties();
  for (Field& each : fields_) judge(each);
  for (const ClassField* const each : removed_) {
    if (each->bits != 0) refuse("its bit-field " + each->name + " is gone");
    if (each->type.empty() || each->shape.empty())
      refuse("its field " + each->name + ", which is gone, is of a type without a name");
  }
}

void Converter::compare_bases() {
  for (const std::string& each : {edit_.old.problem, edit_.fresh.problem})
    if (!each.empty()) return refuse(each);
  const auto is_same = [](const ClassBase& a, const ClassBase& b) {
    return a.type == b.type && a.is_virtual == b.is_virtual;
  };
  if (!std::ranges::equal(edit_.old.layout.bases, edit_.fresh.layout.bases, is_same))
    refuse("it has other bases than before");
  for (const LayoutDifference& each : compare_layouts(edit_.old.layout, edit_.fresh.layout).differences) {
    const bool is_of_functions =
        each.kind == DifferenceKind::became_virtual || each.kind == DifferenceKind::became_plain ||
        each.kind == DifferenceKind::function_moved || each.kind == DifferenceKind::function_added;
    if (is_of_functions) refuse("its virtual functions have changed: " + each.text);
  }
}

void Converter::judge_size() {
  const ClassLayout& fresh = edit_.fresh.layout;
  const ClassLayout& program = edit_.program.layout;
  const std::uint64_t slot = slot_size_of(edit_.program);
  if (fresh.size <= slot || fresh.alignment > 0 || program.alignment > 0) return;
  const std::string reserve = std::to_string(fresh.size - program.size);
  refuse("its objects need " + std::to_string(fresh.size) + " bytes, and have slots of " + std::to_string(slot) +
         "; give " + edit_.fresh.pool + " a reserve of " + reserve + " bytes (moult::Updatable<" + edit_.fresh.pool +
         ", " + reserve +
         ">) for the program's next start, or keep what is new beside the objects, in an update "
         "(moult::add_field_to_class)");
}

/// A field that has only changed its name keeps what it has: it is in the same place, of the same type. What has no
/// name is the same in that case alone.
Field Converter::compare(const InheritedField& inherited) const {
  const ClassField& fresh = inherited.field;
  Field field{&inherited.owner, &fresh, nullptr};
  const auto is_of_fresh = [&](const InheritedField& old) {
    return std::ranges::any_of(edit_.fresh.fields, [&](const InheritedField& each) {
      return each.owner == old.owner && each.field.name == old.field.name;
    });
  };
  for (const InheritedField& each : edit_.old.fields) {
    if (each.owner != inherited.owner) continue;
    const ClassField& old = each.field;
    const bool has_its_name = old.name == fresh.name && !fresh.name.empty();
    const bool is_in_place = old.offset == fresh.offset && old.bit == fresh.bit && is_same_type(old, fresh);
    const bool may_be_renamed = is_in_place && (fresh.name.empty() ? old.name.empty() : !is_of_fresh(each));
    if (has_its_name || (may_be_renamed && field.old == nullptr)) field.old = &old;
  }
  if (field.old == nullptr)
    field.change = Change::added;
  else if (!is_same_type(*field.old, fresh))
    field.change = Change::retyped;
  else if (field.old->offset != fresh.offset || field.old->bit != fresh.bit)
    field.change = Change::moved;
  return field;
}

void Converter::require(const std::string& condition, const std::string& otherwise) {
  conditions_ += condition + ", ";
  result_.questions.refusals.push_back(otherwise);
}

/// Fields without data that share their place with others ([[no_unique_address]]): nothing may be written there.
void Converter::judge_empties() {
  const auto shares_place = [](const ClassField& field, const WholeClass& whole) {
    return is_empty_class(field) && std::ranges::any_of(whole.fields, [&](const InheritedField& other) {
             return &other.field != &field && other.field.offset <= field.offset &&
                    field.offset < other.field.offset + other.field.size;
           });
  };
  const auto settle = [&](const ClassField& field, const std::string& type) {
    require("::moult::detail::is_nothing<" + type + ">",
            "its field " + field.name + " shares its place with another one, and has a constructor or a destructor");
  };
  std::erase_if(fields_, [&](const Field& each) {
    if (!shares_place(*each.fresh, edit_.fresh) && (each.old == nullptr || !shares_place(*each.old, edit_.old)))
      return false;
    settle(*each.fresh, type_of(each));
    return true;
  });
  std::erase_if(removed_, [&](const ClassField* each) {
    if (!shares_place(*each, edit_.old)) return false;
    settle(*each, spelled(each->type));
    return true;
  });
}

void Converter::judge(Field& field) {
  const ClassField& fresh = *field.fresh;
  if (fresh.name.empty())
    return refuse("a part of it that has no name, of type " + fresh.type +
                  ", has changed or moved (a base, or a field)");
  if (fresh.size == 0 || fresh.shape.empty()) return refuse("its field " + fresh.name + " is not told of in full");
  if (fresh.type.ends_with('&')) return refuse("its field " + fresh.name + " is a reference");
  for (const InheritedField& other : edit_.fresh.fields)
    if (&other.field != &fresh && overlap(fresh, other.field))
      return refuse("its field " + fresh.name +
                    " shares its place with another one (a union, or [[no_unique_address]])");
  const bool is_bits = fresh.bits != 0 || (field.old != nullptr && field.old->bits != 0);
  if (field.change == Change::added) return judge_new(field);
  if (is_bits) return refuse("its bit-field " + fresh.name + " has changed");
  if (field.change == Change::retyped) return judge_retyped(field);
  require("::moult::detail::is_movable_field<" + type_of(field) + ">",
          "its field " + fresh.name + " (" + fresh.type +
              ") has another place than before, and cannot be moved there: " +
              (is_class(fresh) ? "it needs a move constructor that is noexcept; " : "") +
              "put new fields behind it, so that it stays where it is");
}

void Converter::judge_retyped(const Field& field) {
  const ClassField& fresh = *field.fresh;
  const auto has_number = [](const ClassField& each) {
    return is_number(each) || is_enumeration(each) || is_atomic(each);
  };
  if (field.old->type == fresh.type)
    return refuse("the class of its field " + fresh.name + " (" + fresh.type + ") has changed, too");
  const std::string change = "its field " + fresh.name + " was " + field.old->type + " and is " + fresh.type;
  const std::string limit = "; moult converts numbers alone";
  if (!has_number(*field.old) || !has_number(fresh)) return refuse(change + limit);
  for (const std::string& type : {old_type_of(field), type_of(field)})
    require("::moult::detail::is_number_field<std::remove_cv_t<" + type + ">>", change + limit);
  if (may_lose(number_kind(*field.old), number_kind(fresh)))
    result_.notes.push_back(*field.owner + "::" + fresh.name + " was " + field.old->type + " and is " + fresh.type +
                            ": a value that it cannot have becomes what static_cast makes of it");
}

void Converter::judge_new(Field& field) {
  const ClassField& fresh = *field.fresh;
  const std::optional<ClassBody> body = body_of(*field.owner);
  const std::optional<std::string> initialiser = body ? source_.initialiser(*body, fresh.name) : std::nullopt;
  if (!initialiser) return refuse("the declaration of its field " + fresh.name + " is not found");
  field.initialiser = *initialiser;
  if (initialiser->find("->") != std::string::npos)
    return refuse("the initialiser of its new field " + fresh.name +
                  " reads another object, which may not have its new layout by then; give the field a plain value");
  for (const std::string& each : PreprocessedSource::words_of(*initialiser))
    if (is_made_later(field, each))
      return refuse("the initialiser of its new field " + fresh.name + " reads " + each +
                    ", which is declared behind it and has no value by then; declare " + fresh.name + " behind it");
  if (!initialiser->empty()) return is_in_place() ? void() : judge_aside(field);
  if (!is_class(fresh))
    refuse("its new field " + fresh.name +
           " has no initialiser where it is declared, so that objects which exist would get no value; write one there");
  else
    result_.notes.push_back(*field.owner + "::" + fresh.name +
                            " is made by its default constructor in objects that exist");
}

/// Members are initialised in the order of their declaration, also in a new object.
bool Converter::is_made_later(const Field& field, const std::string& name) const {
  return std::ranges::any_of(fields_, [&](const Field& each) {
    return each.fresh > field.fresh && *each.owner == *field.owner && each.fresh->name == name;
  });
}

/// An object that is made aside is not where it will be.
void Converter::judge_aside(const Field& field) {
  const std::vector<std::string> words = PreprocessedSource::words_of(field.initialiser);
  const bool may_keep_address =
      std::ranges::any_of(words, [](const std::string& each) { return each == "this" || each == "["; });
  if (may_keep_address)
    refuse("the initialiser of its new field " + field.fresh->name +
           " may keep the object's address, while other fields are moved or removed; make two edits of it");
  if (field.fresh->bits != 0)
    refuse("its bit-field " + field.fresh->name +
           " is new while other fields are moved or removed; make two edits of it");
}

/// Statements that construct the field of `this` object.
std::string Converter::construct(const Field& field) const {
  const std::string& name = field.fresh->name;
  std::string value = field.initialiser;
  if (value.starts_with("=")) value.erase(0, std::min(value.find_first_not_of(" \t\n", 1), value.size()));
  if (field.fresh->bits != 0) return name + " = " + value + ";";
  if (value.empty()) value = "()";  // no value is left to chance
  if (value != "()" && !value.starts_with("{")) value = is_array(*field.fresh) ? "{" + value + "}" : "(" + value + ")";
  return "using Field = decltype(" + name + "); ::new ((void*)__builtin_addressof(" + name + ")) Field" + value + ";";
}

std::string Converter::step_of(const Field& field) {
  const std::string offset = field.old == nullptr ? "" : std::to_string(field.old->offset);
  switch (field.change) {
    case Change::kept: break;
    case Change::moved: return "Moved<" + member_of(field) + ", " + type_of(field) + ", " + offset + ">";
    case Change::retyped:
      return "Retyped<" + member_of(field) + ", " + type_of(field) + ", " + old_type_of(field) + ", " + offset + ">";
    case Change::added: {
      const std::string begin = "moult_begin_" + number_ + "_" + std::to_string(begins_++);
      result_.members[body_of(*field.owner)->end] += " void " + begin + "();";
      result_.behind += "void " + spelled(*field.owner).substr(2) + "::" + begin + "() { " + construct(field) + " }\n";
      if (field.fresh->bits != 0) return "AddedBits<&" + spelled(*field.owner) + "::" + begin + ">";
      return "Added<" + member_of(field) + ", &" + spelled(*field.owner) + "::" + begin + ">";
    }
  }
  return {};
}

std::string Converter::steps() {
  static const std::string detail = "::moult::detail::";
  std::string text =
      detail + (is_in_place() ? "InPlace<Class" : "Aside<Class, " + std::to_string(edit_.old.layout.size));
  for (const Field& each : fields_) text += ", " + detail + step_of(each);
  for (const ClassField* const each : removed_) {
    const bool has_class = each->shape.find('{') != std::string::npos;
    const std::string type = has_class ? each->type : "std::byte[" + std::to_string(each->size) + "]";
    text.append(", ").append(detail).append("Removed<").append(type);
    text.append(", ").append(std::to_string(each->offset)).append(">");
  }
  return text + ">";
}

std::string Converter::entry() const {
  std::string gone;
  if (!removed_.empty()) gone = "the edit has removed its field " + removed_.front()->name;
  std::string names;
  for (const Field& each : fields_) names += (names.empty() ? "" : ",") + *each.owner + "::" + each.fresh->name;
  std::string text =
      "[[gnu::used, gnu::section(\"moult_classes\"), gnu::aligned(8)]] static const ::moult::detail::EditedClass "
      "entry{";
  text += in_quotes(edit_.name) + ", &typeid(Class), &typeid(" + spelled(edit_.fresh.pool) + "), " +
          in_quotes(text_of(edit_.program)) + ", " + in_quotes(text_of(edit_.old)) + ", " +
          in_quotes(text_of(edit_.fresh)) + ", ";
  text += std::to_string(edit_.old.layout.size) + ", sizeof(Class), alignof(Class), " +
          (edit_.fresh.layout.has_vptr ? "1" : "0") + ", Steps::forward, ";
  return text + (gone.empty() ? "Steps::backward, nullptr" : "{}, " + in_quotes(gone)) + ", " + in_quotes(names) +
         "};\n";
}

std::string Converter::answers() {
  if (conditions_.empty()) return {};
  result_.questions.section = "moult_answers_" + number_;
  return "[[gnu::used, gnu::section(\"" + result_.questions.section + "\")]] static const bool answers[] = {" +
         conditions_ + "};\n";
}

}  // namespace

WholeClass whole_class(const Dwarf_Die& type, const std::string& name, const std::set<std::string>& changed) {
  WholeClass whole{class_layout(type, ClassName(name)), {}, {}, {}, {}, {}};
  add_part(whole, type, name, 0, changed);
  return whole;
}

std::string text_of(const WholeClass& whole) {
  std::string text = std::to_string(whole.layout.size);
  for (const auto& [owner, field] : whole.fields)
    text += "; " + std::to_string(field.offset) + "." + std::to_string(field.bit) + "/" + std::to_string(field.bits) +
            ": " + field.type + " " + owner + "::" + field.name + " " + field.shape;
  return text;
}

std::string why_not_found(const ClassEdit& edit) {
  if (!edit.fresh.pool.empty() && edit.fresh.pool == edit.program.pool && edit.fresh.pool == edit.old.pool) return {};
  return "moult finds the objects of a class that derives from moult::Updatable<" + edit.name +
         "> itself, from the program's next start on; moult apply with an update that redefines the class converts "
         "what "
         "that update finds";
}

ClassConversion convert_class(const ClassEdit& edit, const PreprocessedSource& source, int number) {
  return Converter(edit, source, number).run();
}

}  // namespace moult::internal::diff
