// The source must include moult/detail/edited_class.hpp, which has what is done to each kind of field.
//
// Limits, each a refusal: classes without a pool of their own, templates, classes in functions; fields that are
// references or have no name, new ones of a number's or pointer's type without an initialiser; bit-fields that move;
// bases that change. Fields that move must have a move constructor that is noexcept.
#include "diff/class_conversion.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "symbols/layout_comparison.hpp"

namespace moult::internal::diff {
namespace {

enum class Change { kept, moved, retyped, added };

struct Field {
  const ClassField* fresh = nullptr;
  const ClassField* old = nullptr;  ///< null if it is new
  Change change = Change::kept;
  std::string initialiser{};  ///< of a new one
};

bool is_number(const ClassField& field) { return field.shape.starts_with("n"); }
bool is_class(const ClassField& field) { return field.shape.starts_with("{"); }
bool is_same_type(const ClassField& a, const ClassField& b) {
  return a.type == b.type && a.shape == b.shape && a.size == b.size && a.bits == b.bits;
}

/// Bytes of the slots in the class's pool, at most, by its base moult::Updatable<Item, 64>. Over-aligned classes have
/// larger ones.
std::uint64_t slot_size_of(const ClassLayout& layout, const ClassBase& pool) {
  constexpr std::uint64_t alignment = 16;
  const std::uint64_t reserve = std::strtoull(pool.type.c_str() + pool.type.rfind(',') + 1, nullptr, 10);
  const std::uint64_t wanted = std::max(layout.size + reserve, alignment);
  return reserve == 0 ? wanted : (wanted + alignment - 1) / alignment * alignment;
}

bool overlap(const ClassField& a, const ClassField& b) {
  if (a.bits != 0 || b.bits != 0) return false;
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

std::string quoted(const std::string& text) {
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

/// The base with the pool.
auto pool_of(const ClassLayout& layout) {
  return std::ranges::find_if(layout.bases, [&](const ClassBase& each) {
    return each.type.starts_with("moult::Updatable<" + layout.name.text() + ",");
  });
}

class Converter final {
 public:
  Converter(const ClassEdit& edit, const PreprocessedSource& source, const ClassBody& body, int number)
      : edit_(edit), source_(source), body_(body), number_(std::to_string(number)) {}

  ClassConversion run();

 private:
  void refuse(const std::string& why) { result_.refusals.push_back(why); }
  void compare();
  void compare_bases();
  void judge_size();
  Field compare(const ClassField& fresh) const;
  void judge(Field& field);
  void judge_retyped(const Field& field);
  void judge_new(Field& field);
  void judge_aside(const Field& field);
  bool is_in_place() const;
  std::string steps();
  std::string step_of(const Field& field);
  std::string construct(const Field& field) const;
  std::string type_of(const Field& field) const { return "decltype(Class::" + field.fresh->name + ")"; }
  std::string member_of(const Field& field) const { return "&Class::" + field.fresh->name; }
  std::string entry() const;

  const ClassEdit& edit_;
  const PreprocessedSource& source_;
  const ClassBody& body_;
  std::string number_;
  std::vector<Field> fields_;               ///< of the new layout, but for those that are kept
  std::vector<const ClassField*> removed_;  ///< of the old one
  int begins_ = 0;                          ///< functions that construct new fields
  ClassConversion result_;
};

ClassConversion Converter::run() {
  if (!has_own_pool(edit_.fresh) || !has_own_pool(edit_.old))
    refuse("its objects are not known: moult finds those of a class that derives from moult::Updatable<" + edit_.name +
           "> itself, from the program's next start on; an update with a transformer can convert what it finds");
  else if (edit_.name.find('<') != std::string::npos)
    refuse("it is a template; an update that redefines it converts its objects");
  else
    compare();
  if (!result_.refusals.empty()) return std::move(result_);
  const std::string alias = "using Class = " + spelled(edit_.name) + ";\n";
  const std::string made = steps();  // puts what it needs in front
  result_.behind +=
      "namespace moult_edit_" + number_ + " {\n" + alias + "using Steps = " + made + ";\n" + entry() + "}\n";
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
  for (const ClassField& fresh : edit_.fresh.fields) {
    Field field = compare(fresh);
    if (field.old != nullptr) known.insert(field.old);
    if (field.change != Change::kept) fields_.push_back(std::move(field));
  }
  for (const ClassField& old : edit_.old.fields)
    if (!known.contains(&old)) removed_.push_back(&old);
  for (Field& each : fields_) judge(each);
  for (const ClassField* const each : removed_) {
    if (each->bits != 0) refuse("its bit-field " + each->name + " is gone");
    if (each->type.empty() || each->shape.empty())
      refuse("its field " + each->name + ", which is gone, is of a type without a name");
  }
}

void Converter::compare_bases() {
  const auto is_same = [](const ClassBase& a, const ClassBase& b) {
    return a.type == b.type && a.offset == b.offset && a.is_virtual == b.is_virtual && a.shape == b.shape;
  };
  if (!std::ranges::equal(edit_.old.bases, edit_.fresh.bases, is_same)) refuse("it has other bases than before");
  for (const LayoutDifference& each : compare_layouts(edit_.old, edit_.fresh).differences) {
    const bool is_of_functions =
        each.kind == DifferenceKind::became_virtual || each.kind == DifferenceKind::became_plain ||
        each.kind == DifferenceKind::function_moved || each.kind == DifferenceKind::function_added;
    if (is_of_functions) refuse("its virtual functions have changed: " + each.text);
  }
}

void Converter::judge_size() {
  const std::uint64_t slot = slot_size_of(edit_.program, *pool_of(edit_.program));
  if (edit_.fresh.size <= slot || edit_.fresh.alignment > 0 || edit_.program.alignment > 0) return;
  const std::string reserve = std::to_string(edit_.fresh.size - edit_.program.size);
  refuse("its objects need " + std::to_string(edit_.fresh.size) + " bytes, and have slots of " + std::to_string(slot) +
         "; give it a reserve of " + reserve + " bytes (moult::Updatable<" + edit_.name + ", " + reserve +
         ">) for the program's next start, or keep what is new beside the objects, in an update "
         "(moult::add_field_to_class)");
}

/// A field that has only changed its name keeps what it has: it is in the same place, of the same type.
Field Converter::compare(const ClassField& fresh) const {
  Field field{&fresh, nullptr};
  const auto is_of_fresh = [&](const std::string& name) {
    return std::ranges::find(edit_.fresh.fields, name, &ClassField::name) != edit_.fresh.fields.end();
  };
  for (const ClassField& each : edit_.old.fields) {
    const bool is_in_place = each.offset == fresh.offset && each.bit == fresh.bit && is_same_type(each, fresh);
    if (each.name == fresh.name ? !each.name.empty() || is_in_place : is_in_place && !is_of_fresh(each.name))
      if (field.old == nullptr || each.name == fresh.name) field.old = &each;
  }
  if (field.old == nullptr)
    field.change = Change::added;
  else if (!is_same_type(*field.old, fresh))
    field.change = Change::retyped;
  else if (field.old->offset != fresh.offset || field.old->bit != fresh.bit)
    field.change = Change::moved;
  return field;
}

void Converter::judge(Field& field) {
  const ClassField& fresh = *field.fresh;
  if (fresh.name.empty() || fresh.size == 0 || fresh.shape.empty())
    return refuse("its field " + (fresh.name.empty() ? "without a name" : fresh.name) + " is not told of in full");
  if (fresh.type.ends_with('&')) return refuse("its field " + fresh.name + " is a reference");
  for (const ClassField& other : edit_.fresh.fields)
    if (&other != &fresh && overlap(fresh, other))
      return refuse("its field " + fresh.name + " shares its place with another one (a union)");
  const bool is_bits = fresh.bits != 0 || (field.old != nullptr && field.old->bits != 0);
  if (field.change == Change::added) return judge_new(field);
  if (is_bits) return refuse("its bit-field " + fresh.name + " has changed");
  if (field.change == Change::retyped) judge_retyped(field);
}

void Converter::judge_retyped(const Field& field) {
  const ClassField& fresh = *field.fresh;
  if (field.old->type == fresh.type)
    refuse("the class of its field " + fresh.name + " (" + fresh.type + ") has changed, too");
  else if (!is_number(*field.old) || !is_number(fresh))
    refuse("its field " + fresh.name + " was " + field.old->type + " and is " + fresh.type +
           "; moult converts numbers alone");
}

void Converter::judge_new(Field& field) {
  const ClassField& fresh = *field.fresh;
  const std::optional<std::string> initialiser = source_.initialiser(body_, fresh.name);
  if (!initialiser) return refuse("the declaration of its field " + fresh.name + " is not found");
  field.initialiser = *initialiser;
  if (!initialiser->empty()) return is_in_place() ? void() : judge_aside(field);
  if (!is_class(fresh))
    refuse("its new field " + fresh.name +
           " has no initialiser where it is declared, so that objects which exist would get no value; write one there");
  else
    result_.notes.push_back(edit_.name + "::" + fresh.name +
                            " is made by its default constructor in objects that exist");
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
  const bool is_array = field.fresh->shape.starts_with("[");
  if (!value.empty() && !value.starts_with("{")) value = is_array ? "{" + value + "}" : "(" + value + ")";
  return "using Field = decltype(" + name + "); ::new ((void*)__builtin_addressof(" + name + ")) Field" + value + ";";
}

std::string Converter::step_of(const Field& field) {
  const std::string offset = field.old == nullptr ? "" : std::to_string(field.old->offset);
  switch (field.change) {
    case Change::kept: break;
    case Change::moved: return "Moved<" + member_of(field) + ", " + type_of(field) + ", " + offset + ">";
    case Change::retyped:
      return "Retyped<" + member_of(field) + ", " + type_of(field) + ", " + field.old->type + ", " + offset + ">";
    case Change::added: {
      const std::string begin = "moult_begin_" + number_ + "_" + std::to_string(begins_++);
      result_.member += " void " + begin + "();";
      result_.behind += "void " + spelled(edit_.name).substr(2) + "::" + begin + "() { " + construct(field) + " }\n";
      if (field.fresh->bits != 0) return "AddedBits<&Class::" + begin + ">";
      return "Added<" + member_of(field) + ", &Class::" + begin + ">";
    }
  }
  return {};
}

std::string Converter::steps() {
  static const std::string detail = "::moult::detail::";
  std::string text = detail + (is_in_place() ? "InPlace<Class" : "Aside<Class, " + std::to_string(edit_.old.size));
  for (const Field& each : fields_) text += ", " + detail + step_of(each);
  for (const ClassField* const each : removed_) {
    const bool has_class = each->shape.find('{') != std::string::npos;
    const std::string type = has_class ? each->type : "std::byte[" + std::to_string(each->size) + "]";
    text += ", " + detail + "Removed<" + type + ", " + std::to_string(each->offset) + ">";
  }
  return text + ">";
}

std::string Converter::entry() const {
  std::string gone;
  if (!removed_.empty()) gone = "the edit has removed its field " + removed_.front()->name;
  std::string text = "[[gnu::used, gnu::section(\"moult_classes\")]] static const ::moult::detail::EditedClass entry{";
  text += quoted(edit_.name) + ", &typeid(Class), " + quoted(text_of(edit_.program)) + ", " +
          quoted(text_of(edit_.old)) + ", " + quoted(text_of(edit_.fresh)) + ", ";
  text += std::to_string(edit_.old.size) + ", sizeof(Class), alignof(Class), " + (edit_.fresh.has_vptr ? "1" : "0") +
          ", Steps::forward, ";
  return text + (gone.empty() ? "Steps::backward, nullptr" : "{}, " + quoted(gone)) + "};\n";
}

}  // namespace

std::string text_of(const ClassLayout& layout) {
  std::string text = std::to_string(layout.size);
  for (const ClassBase& each : layout.bases) text += "; base " + each.type + " " + each.shape;
  for (const ClassField& each : layout.fields)
    text += "; " + std::to_string(each.offset) + "." + std::to_string(each.bit) + "/" + std::to_string(each.bits) +
            ": " + each.type + " " + each.name + " " + each.shape;
  return text;
}

bool has_own_pool(const ClassLayout& layout) { return pool_of(layout) != layout.bases.end(); }

bool is_of_conversion(std::string_view function) {
  const std::string_view scope = function.substr(0, function.find('<'));
  return function.find("::moult_begin_") != std::string_view::npos ||
         scope.find("moult::detail::") != std::string_view::npos;
}

ClassConversion convert_class(const ClassEdit& edit, const PreprocessedSource& source, const ClassBody& body,
                              int number) {
  return Converter(edit, source, body, number).run();
}

}  // namespace moult::internal::diff
