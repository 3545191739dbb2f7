// The compiler makes what converts the objects, with the source that it compiles anyway: a few functions are put behind
// the text, and their declarations into the class, where initialisers mean what they mean in it.
#include "class_edits.hpp"

#include <dwarf.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/names.hpp"
#include "compiler.hpp"
#include "diff/placed_objects.hpp"
#include "file_content.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/die_attributes.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;
using diff::ChangedClass;

bool is_unnamed(const std::string& name) { return name.find("(anonymous namespace)") != std::string::npos; }

bool is_of_c(const DebugUnit& unit) {
  const std::uint64_t language = number_of(unit.content, DW_AT_language).value_or(0);
  return language == DW_LANG_C89 || language == DW_LANG_C || language == DW_LANG_C99 || language == DW_LANG_C11;
}

/// The function throws an object of the class: what it hands over last before that is the class's type.
bool throws_class(const diff::ObjectFile& object, const diff::ObjectSection& code, const std::string& type) {
  std::string_view handed_over;
  for (const diff::Relocation& each : code.relocations) {
    const std::string_view name = object.symbols()[each.symbol].name;
    const bool is_throw = name == "__cxa_throw" || name == "__cxa_init_primary_exception";
    if (is_throw && demangle(std::string(handed_over)) == type) return true;
    if (name.starts_with("_ZTI")) handed_over = name;
  }
  return false;
}

bool is_without_rtti(const CompileCommand& command) {
  bool is_without = false;
  for (const std::string& each : command.arguments)
    if (each == "-fno-rtti" || each == "-frtti") is_without = each == "-fno-rtti";
  return is_without;
}

}  // namespace

void ClassEdits::add(const ComparedSource& source, const diff::TypeComparison& types) {
  for (const ChangedClass& each : types.classes) {
    added_.expect_classes(source);
    changed_.push_back({&source, each});
    names_.insert(each.name);
  }
}

void ClassEdits::judge(const std::vector<ComparedSource>& all) {
  for (const Changed& each : changed_) judge(each, all);
}

diff::WholeClass ClassEdits::whole(const Dwarf_Die& type, const std::string& name) const {
  return diff::whole_class(type, name, names_);
}

void ClassEdits::judge(const Changed& each, const std::vector<ComparedSource>& all) {
  const ComparedSource& source = *each.source;
  const ChangedClass& changed = each.changed;
  const ClassName name(changed.name);
  diff::ClassEdit edit{changed.name, whole(changed.old, changed.name), {}, whole(changed.fresh, changed.name)};
  edit.old = edit.program;
  if (std::optional<diff::WholeClass> after = class_in_base(source, name);
      after && diff::text_of(*after) != diff::text_of(edit.fresh))
    edit.old = std::move(*after);
  const std::string key = is_unnamed(changed.name) ? source.shown + ": " + changed.name : changed.name;
  const auto [known, is_new] = layouts_.try_emplace(key, diff::text_of(edit.fresh));
  if (!is_new) {
    if (known->second != diff::text_of(edit.fresh))
      refusals_.push_back(source.shown + ": " + changed.name + " is laid out otherwise than in the other sources");
    return;
  }
  std::vector<std::string> reasons;
  if (std::string why = diff::why_not_found(edit); !why.empty()) {
    reasons.push_back(is_of_c(*source.comparison.source)
                          ? "moult does not find the objects of a C program's struct; leave it as it is, and put what "
                            "is new into a variable of its own"
                          : std::move(why));
  } else if (is_without_rtti(*source.command)) {
    reasons.emplace_back(
        "it is compiled with -fno-rtti, so that its objects are not told from others in the program; build the program "
        "with RTTI, or apply an update that redefines the class");
  } else {
    judge_users(all, edit.fresh, reasons);
    diff::ClassConversion conversion =
        diff::convert_class(edit, added_.text_of(source), static_cast<int>(classes_.size()));
    const std::string purpose = "give the objects of " + changed.name + " their new layout";
    for (const auto& [place, declarations] : conversion.members) added_.add(source, place, declarations, purpose);
    added_.add(source, std::string::npos, "\n" + conversion.behind, purpose);
    if (!conversion.questions.section.empty())
      asked_.push_back({&source, changed.name, std::move(conversion.questions)});
    std::ranges::move(conversion.refusals, std::back_inserter(reasons));
    for (const std::string& note : conversion.notes) notes_.push_back(source.shown + ": " + note);
  }
  classes_.push_back({changed.name, changed.difference});
  if (!reasons.empty())
    refusals_.push_back(source.shown + ": " + changed.name + " has changed, and the program may have objects of it:\n" +
                        changed.difference + "\n" + join(reasons, "\n"));
}

void ClassEdits::judge_answers() {
  for (const Asked& each : asked_) {
    const auto sections = each.source->object->sections();
    const auto found = std::ranges::find(sections, each.questions.section, &diff::ObjectSection::name);
    const std::vector<std::string>& refusals = each.questions.refusals;
    for (std::size_t i = 0; i < refusals.size(); ++i)
      if (found == sections.end() || i >= found->bytes.size() || found->bytes[i] != 1)
        refusals_.push_back(each.source->shown + ": " + each.class_name + ": " + refusals[i]);
  }
}

std::optional<diff::WholeClass> ClassEdits::class_in_base(const ComparedSource& source, const ClassName& name) const {
  if (base_ == nullptr || base_->debug_info() == nullptr) return std::nullopt;
  Dwarf_Die old = source.comparison.source->content;
  std::optional<diff::WholeClass> found;
  for (const DebugUnit& unit : base_->debug_info()->units()) {
    Dwarf_Die die = unit.content;
    if (is_unnamed(name.text()) && plain_name_of(die) != plain_name_of(old)) continue;
    visit_classes(unit.content, {}, [&](const Dwarf_Die& each, const std::string& scope) {
      if (!found && is_class(each, scope, name) && is_definition(full_class(each)))
        found = whole(full_class(each), name.text());
    });
  }
  return found;
}

/// Its objects are told from those of the base by their tables of virtual functions.
bool ClassEdits::is_converted_subclass(const std::string& name, const diff::WholeClass& of_base) const {
  return of_base.layout.has_vptr && std::ranges::any_of(changed_, [&](const Changed& each) {
           return each.changed.name == name &&
                  whole(each.changed.fresh, name).places.contains(of_base.layout.name.text());
         });
}

/// Objects outside of pools, and code that is not compiled again.
void ClassEdits::judge_users(const std::vector<ComparedSource>& all, const diff::WholeClass& whole,
                             std::vector<std::string>& reasons) {
  const diff::ClassUsers users = diff::users_of(*comparison_.debug_info(), whole.layout.name.text());
  for (const std::string& each : users.values)
    if (!is_converted_subclass(each, whole))
      reasons.push_back(each + " has it by value, so that moult does not find the object; hold it by pointer");
  if (users.shares_values)
    reasons.push_back(
        "std::make_shared makes objects of it in memory of their own, where moult does not find them; use "
        "moult::allocate_shared<" +
        whole.layout.name.text() + ">");
  for (const DebugUnit* const unit : users.units) {
    const bool is_compared =
        std::ranges::any_of(all, [&](const ComparedSource& each) { return each.comparison.source == unit; });
    Dwarf_Die die = unit->content;
    const char* const file = ::dwarf_diename(&die);
    if (!is_compared)
      reasons.push_back(std::string(file != nullptr ? file : "a source") +
                        " has the class as it was, and was not compiled again; name it with --source");
  }
  if (reasons.empty()) judge_placed(all, users, whole, reasons);
  functions_.insert(users.functions.begin(), users.functions.end());
  for (const ComparedSource& each : all)
    for (const diff::ObjectSection& section : each.object->sections())
      if (section.is_code() && throws_class(*each.object, section, "typeinfo for " + whole.layout.name.text()))
        reasons.push_back(each.shown + " throws it, and exceptions lie outside of the pool; throw a pointer to it");
}

/// Objects that lie elsewhere although they have their class's pool.
void ClassEdits::judge_placed(const std::vector<ComparedSource>& all, const diff::ClassUsers& users,
                              const diff::WholeClass& whole, std::vector<std::string>& reasons) {
  for (const ComparedSource& each : all) {
    if (std::ranges::find(users.units, each.comparison.source) == users.units.end()) continue;
    const diff::ObjectFile& object = marked(each);
    std::set<std::string> functions = diff::functions_placing(whole.layout.name.text(), object);
    functions.merge(diff::functions_placing(whole.pool, object));
    if (!functions.empty())
      reasons.push_back(each.shown + ": " + join({functions.begin(), functions.end()}) +
                        " make objects of it in memory of their own, where moult does not find them; use new without "
                        "a place, std::make_unique or moult::allocate_shared");
  }
}

const diff::ObjectFile& ClassEdits::marked(const ComparedSource& source) {
  std::unique_ptr<MarkedObject>& found = marked_[&source];
  if (found == nullptr) {
    const fs::path text = source.path.string() + ".marked.ii";
    const fs::path object = source.path.string() + ".marked.o";
    std::ofstream(text) << diff::with_marks(added_.text_of(source));
    compile_preprocessed(*source.command, text, object, comparison_.compiler(), deadline_);
    found = std::make_unique<MarkedObject>(object.string());
  }
  return found->object;
}

}  // namespace moult::internal::cli
