// The edited objects are linked to a shared object, without what the program has already (diff/edit_plan.hpp), and with
// the entry of an update. The compiler of the sources links it, so that its libraries are those of the program.
#include "edit_build.hpp"

#include <gelf.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "base/names.hpp"
#include "compiler_run.hpp"
#include "diff/edit_plan.hpp"
#include "diff/update_object.hpp"
#include "diff/variable_beginnings.hpp"
#include "edit_entry.hpp"
#include "elf/edit_format.hpp"
#include "elf/symbol_table.hpp"
#include "elf/update_notes.hpp"
#include "moult/detail/edited_class.hpp"
#include "program_sources.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& message) {
  throw CommandFailure(ExitCode::refused, ErrorCode::unsupported, message);
}

/// For objects of C++ its compiler links, which knows its libraries.
std::string linker_driver(const std::vector<const ComparedSource*>& sources) {
  std::string driver;
  for (const ComparedSource* const each : sources) {
    const std::string compiler = flags_for_update(*each->command).compiler;
    if (driver.empty() || base_name(compiler).find("++") != std::string::npos) driver = compiler;
  }
  return driver;
}

std::string text_of(const DebugUnit& unit, unsigned attribute) {
  Dwarf_Die die = unit.is_missing ? unit.skeleton : unit.content;
  Dwarf_Attribute found{};
  const char* const text = ::dwarf_formstring(::dwarf_attr(&die, attribute, &found));
  return text != nullptr ? text : "";
}

/// The compiler may have been started by way of another name of the folder.
bool is_same_source(const DebugUnit& a, const DebugUnit& b) {
  const auto place = [](const DebugUnit& unit) {
    return resolved(text_of(unit, DW_AT_name), text_of(unit, DW_AT_comp_dir));
  };
  return place(a) == place(b);
}

/// The compiler and its flags, but for those that the command adds.
std::string producer_of(const DebugUnit& unit) {
  std::string text = text_of(unit, DW_AT_producer);
  for (const std::string_view added : {" -ffunction-sections", " -fdata-sections"})
    if (const std::size_t at = text.find(added); at != std::string::npos) text.erase(at, added.size());
  return text;
}

/// g++ notes its flags; clang does not.
bool has_flags(const std::string& producer) { return producer.find(" -m") != std::string::npos; }

/// Whether code of lambdas is replaced, which objects of the program may lead to.
bool uses_lambdas(const std::vector<std::string>& functions) {
  return std::ranges::any_of(functions, [](const std::string& each) {
    return each.find("{lambda(") != std::string::npos || each.find("'lambda") != std::string::npos ||
           each.find("::$_") != std::string::npos;  // clang's
  });
}

std::set<std::string> symbols_at(const ElfFile& file, const std::set<std::uint64_t>& addresses) {
  std::set<std::string> names;
  SymbolTable(file).visit([&](const Elf64_Sym& symbol, std::string_view name) {
    if (ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT && addresses.contains(symbol.st_value)) names.emplace(name);
    return true;
  });
  return names;
}

/// "f(int)" of "f(int)::".
std::string without_scope(std::string scope) {
  if (scope.ends_with("::")) scope.resize(scope.size() - 2);
  return scope;
}

}  // namespace

void add_choices(CLI::App& command, VariableChoices& choices) {
  command.add_option("--rename", choices.renamed, "OLD=NEW: a variable has another name, and keeps its value");
  command.add_option("--new", choices.fresh, "A variable begins anew, though another one of its size is gone");
  command.add_option("--reset", choices.reset,
                     "A variable gets the initial value that the edits give it: app::limit, app::f()::count");
}

std::vector<std::string> names_of(const std::vector<EditedClassText>& classes) {
  std::vector<std::string> names;
  for (const EditedClassText& each : classes) names.push_back(each.name);
  return names;
}

std::string summary_of(const EditOutcome& outcome) {
  std::vector<std::string> parts;
  if (!outcome.functions.empty())
    parts.push_back(count_text(outcome.functions.size(), "function") + " replaced (" + join(outcome.functions) + ")");
  if (!outcome.classes.empty())
    parts.push_back("objects of " + join(names_of(outcome.classes)) + " get the new layout");
  if (!outcome.resets.empty()) parts.push_back("new initial values for " + join(outcome.resets));
  return join(parts, "; ");
}

CLI::Option* add_patch(CLI::App& command, std::string& patch) {
  return command
      .add_option("--patch", patch, "A unified diff: take what it would make of the sources; they are not changed")
      ->check(CLI::ExistingFile);
}

nlohmann::ordered_json json_of(const SourcePatch& patch) {
  return {{"name", patch.name()}, {"sha256", patch.sha256()}};
}

diff::EditChoices choices_of(const VariableChoices& options) {
  diff::EditChoices choices;
  for (const std::string& each : options.renamed) {
    const std::size_t at = each.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == each.size())
      throw CommandFailure(ExitCode::usage, ErrorCode::invalid_argument,
                           "--rename " + each + ": takes OLD=NEW, as in --rename app::count=app::total");
    choices.renamed.emplace(each.substr(at + 1), each.substr(0, at));
  }
  choices.fresh.insert(options.fresh.begin(), options.fresh.end());
  choices.reset.insert(options.reset.begin(), options.reset.end());
  return choices;
}

const std::vector<ComparedSource>& EditBuild::compare() {
  compared_ = &comparison_.run();
  return *compared_;
}

const EditOutcome& EditBuild::judge() {
  if (!compared_->empty()) compare_types();
  comparison_.require_same_build(same_build_);
  if (outcome_.refusals.empty()) {
    added_.compile();
    classes_.judge_answers();
    outcome_.refusals = classes_.refusals();
  }
  plan_all();
  if (outcome_.refusals.empty() && reach_by_tables()) {
    added_.compile();
    plan_all();
  }
  if (added_.has_any()) comparison_.require_unsaved();
  take_plans();
  judge_moved_variables();
  judge_resets();
  for (const std::string& each : comparison_.unread_of_patch())
    outcome_.notes.push_back(each + ": is read by no source of " + base_name(options_.program) +
                             " that is compiled here; nothing of it is in the update");
  for (const ComparedSource& source : *compared_) judge_types(source);
  leave_users_of_classes();
  std::set<std::string> told;
  std::erase_if(outcome_.refusals, [&](const std::string& each) { return !told.insert(each).second; });
  if (!outcome_.has_effect() || !outcome_.refusals.empty()) return outcome_;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const ComparedSource& source = (*compared_)[i];
    if (plans_[i].has_part())
      diff::write_update_object(source.path.string(), *source.object, plans_[i], source.command->file,
                                types_[&source].variables, update_object_of(source));
  }
  link();
  return outcome_;
}

/// A source's part may need what is new in another one, and that may need more.
void EditBuild::plan_all() {
  diff::NewNames news;
  for (const ComparedSource& source : *compared_)
    news.all.merge(diff::new_names_of(*source.object, comparison_.program()));
  std::size_t known = 0;
  do {
    known = news.needed.size();
    std::set<std::string, std::less<>> defined;
    plans_.clear();
    for (const ComparedSource& source : *compared_) {
      plans_.push_back(
          diff::plan_edit(*source.object, comparison_.program(), source.comparison, options_.choices, news, defined));
      news.needed.insert(plans_.back().needed.begin(), plans_.back().needed.end());
    }
  } while (known != news.needed.size());
}

/// Code for programs uses a library's variable as if it lay in the program, but for one that may be missing: the weak
/// one's address is read from a table. True if there are such variables.
bool EditBuild::reach_by_tables() {
  bool has_any = false;
  for (std::size_t i = 0; i < plans_.size(); ++i)
    for (const std::string& name : plans_[i].out_of_reach) {
      const ComparedSource& source = (*compared_)[i];
      added_.add(source, added_.text_of(source).before_code(), "#pragma weak " + name + "\n",
                 "find " + name + " in its library");
      has_any = true;
    }
  return has_any;
}

void EditBuild::take_plans() {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const ComparedSource& source = (*compared_)[i];
    const diff::EditPlan& plan = plans_[i];
    for (const std::string& each : plan.refusals) outcome_.refusals.push_back(source.shown + ": " + each);
    for (const std::string& each : plan.notes) outcome_.notes.push_back(source.shown + ": " + each);
    if (!plan.has_part()) {
      unchanged_.push_back(source.command->file);
      if (!plan.resets.empty()) outcome_.sources.push_back(source.shown);
      continue;
    }
    for (const diff::ReplacedFunction& each : plan.functions)
      if (!each.replacement.empty() && !each.code.empty()) outcome_.functions.push_back(each.name);
    sources_.push_back(&source);
    if (!plan.functions.empty() || !plan.resets.empty()) outcome_.sources.push_back(source.shown);
  }
}

/// A variable of a header is in several sources.
void EditBuild::judge_resets() {
  std::set<std::string> used;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const ComparedSource& source = (*compared_)[i];
    for (const diff::ResetValue& each : plans_[i].resets) {
      used.insert(each.choice);
      const auto [place, is_new] = resets_.emplace(each.address, each);
      if (is_new) outcome_.resets.push_back(each.name);
      if (!plain_[&source].contains(each.symbol))
        outcome_.refusals.push_back(source.shown + ": " + each.name +
                                    ": cannot be reset: it is of a class whose objects are not copied byte by byte; "
                                    "leave out --reset, so that it keeps its value");
      else if (place->second.value != each.value)
        outcome_.refusals.push_back(source.shown + ": " + each.name +
                                    ": begins with another value than in the other sources");
    }
  }
  for (const std::string& each : options_.choices.reset)
    if (!used.contains(each))
      outcome_.not_reset.push_back(
          "--reset " + each +
          ": the edits change the initial value of no variable of that name, unless the compiler has "
          "taken it apart");
}

/// A variable that is gone from one source and new in another one begins anew there.
void EditBuild::judge_moved_variables() {
  for (const ComparedSource& from : *compared_)
    for (const diff::ComparedItem& gone : from.comparison.items) {
      if (gone.kind != diff::ItemKind::variable || gone.outcome != diff::DiffOutcome::gone) continue;
      for (std::size_t i = 0; i < plans_.size(); ++i)
        for (const std::size_t each : plans_[i].variables) {
          const ComparedSource& to = (*compared_)[i];
          if (&to == &from || demangle(std::string(to.object->symbols()[each].name)) != gone.name) continue;
          outcome_.refusals.push_back(from.shown + ": " + gone.name + " has moved to " + to.shown +
                                      ", where it would begin anew; give it another name, or leave it where it was");
        }
    }
}

/// Old objects and variables stay in use. A source whose code is the same may be the one whose debug information tells
/// of a class.
void EditBuild::compare_types() {
  std::set<const ComparedSource*> same_compiler;
  std::vector<std::pair<std::unique_ptr<ElfFile>, std::unique_ptr<DebugInfo>>> opened;
  for (const ComparedSource& source : *compared_) {
    const DebugUnit* const old = source.comparison.source;
    auto file = std::make_unique<ElfFile>(ElfFile::open(linked_alone(source).string()));
    std::unique_ptr<DebugInfo> fresh = DebugInfo::open(*file);
    if (old == nullptr || fresh == nullptr) continue;
    const auto unit = std::ranges::find_if(fresh->units(),
                                           [&](const DebugUnit& candidate) { return is_same_source(*old, candidate); });
    if (unit == fresh->units().end())
      refuse(source.shown + ": the program's debug information of this source is not found; build it with -g");
    leave_moved(source, *old, *unit);
    diff::TypeComparison& types = types_[&source] = diff::compare_types(*old, *unit);
    plain_[&source] = symbols_at(*file, types.plain);
    classes_.add(source, types);
    begin_variables(source, *unit);
    if (const std::string producer = producer_of(*old); producer == producer_of(*unit))
      (has_flags(producer) ? same_build_ : same_compiler).insert(&source);
    types.classes.clear();  // their entries end with the debug information
    opened.emplace_back(std::move(file), std::move(fresh));
  }
  classes_.judge(*compared_);
  // Where a class has changed, most functions may differ for that reason.
  if (!classes_.classes().empty()) same_build_.merge(same_compiler);
  outcome_.refusals = classes_.refusals();
  outcome_.notes = classes_.notes();
  outcome_.notes.insert(outcome_.notes.end(), moved_.begin(), moved_.end());
  outcome_.classes = classes_.classes();
}

/// The compiler makes what initialises new variables.
void EditBuild::begin_variables(const ComparedSource& source, const DebugUnit& unit) {
  diff::NewVariables variables = diff::begun_by_code(*source.object, source.comparison, unit.content);
  std::erase_if(variables, [&](const auto& each) { return options_.choices.renamed.contains(each.first); });
  if (variables.empty()) return;
  for (const diff::VariableBeginning& each :
       diff::beginnings_of(variables, unit.content, added_.text_of(source), begun_variables_)) {
    added_.add(source, each.place, each.code, "initialise " + each.variable);
    ++begun_variables_;
  }
}

void EditBuild::leave_moved(const ComparedSource& source, const DebugUnit& old, const DebugUnit& fresh) {
  if (!SourceComparison::may_have_moved(source)) return;
  diff::MovedLines moved;
  for (const auto& [file, lines] : diff::moved_lines(old, fresh))
    moved.emplace(resolved(file, source.command->directory), lines);
  const std::vector<std::string> left = comparison_.keep_moved(source, moved);
  if (left.empty()) return;
  constexpr std::size_t shown = 3;
  std::string names = join({left.begin(), left.begin() + static_cast<std::ptrdiff_t>(std::min(shown, left.size()))});
  if (left.size() > shown) names += " and " + std::to_string(left.size() - shown) + " more";
  moved_.push_back(source.shown + ": " + names + ": only the lines have changed that __LINE__ or assert name in " +
                   (left.size() == 1 ? "it, so it stays as it is" : "them, so they stay as they are"));
}

/// No call of a function that has an object of an edited class on its stack may be in progress.
void EditBuild::leave_users_of_classes() {
  const auto plan = std::ranges::find_if(plans_, [](const diff::EditPlan& each) { return !each.functions.empty(); });
  if (plan == plans_.end()) return;
  std::set<std::uint64_t> users = classes_.functions();
  for (const diff::EditPlan& each : plans_)
    for (const diff::ReplacedFunction& function : each.functions)
      if (!function.code.empty()) users.erase(value(function.code.front().begin));
  for (const diff::LinkedSymbol& each : comparison_.program().symbols()) {
    const CodeAddress begin{each.address};
    if (each.kind == diff::SymbolKind::function && each.size > 0 && users.erase(each.address) > 0)
      plan->functions.push_back({demangle(std::string(each.name)), {{begin, begin + each.size}}, {}});
  }
}

void EditBuild::judge_types(const ComparedSource& source) {
  const auto at = static_cast<std::size_t>(&source - compared_->data());
  if (!types_.contains(&source)) {
    if (!source.comparison.items.empty() && !plans_[at].functions.empty())
      refuse(source.shown + ": has no debug information to compare its types by; build it with -g");
    return;
  }
  const diff::TypeComparison& types = types_.at(&source);
  const diff::EditPlan& plan = plans_[at];
  const auto add = [&](std::vector<std::string>& lines, const std::string& line) {
    lines.push_back(source.shown + ": " + line);
  };
  if (!types.has_types)
    add(outcome_.refusals,
        "its debug information has no types (-g1), so that a change of a class would not be seen; "
        "build with -g");
  for (const std::string& each : types.refusals) add(outcome_.refusals, each);
  for (const std::string& each : types.notes) add(outcome_.notes, each);
  const bool has_lambdas = uses_lambdas(outcome_.functions) || plan.binds_numbered;
  for (const auto& [scope, text] : types.lambdas)
    if (has_lambdas)
      add(outcome_.refusals, "lambdas of " + without_scope(scope) +
                                 " have changed, and the program may hold some of them: " + text +
                                 "; put new lambdas behind the old ones, or into functions of their own");
  if (types.has_other_statics && plan.binds_numbered)
    add(outcome_.refusals,
        "static variables of its functions were added, removed or moved, and the compiler numbers those "
        "of one name; give new ones names of their own outside of functions");
}

/// The linker resolves what the debug information refers to. The result is not to be run. Symbols that are hidden must
/// have a definition.
fs::path EditBuild::linked_alone(const ComparedSource& source) const {
  fs::path result = source.path.string() + ".linked";
  const fs::path hidden = source.path.string() + ".hidden";
  std::ofstream definitions(hidden);
  SymbolTable(*source.file, SHT_SYMTAB).visit([&](const Elf64_Sym& symbol, std::string_view name) {
    if (symbol.st_shndx == SHN_UNDEF && ELF64_ST_VISIBILITY(symbol.st_other) != STV_DEFAULT)
      definitions << "-Wl,--defsym," << name << "=0\n";
    return true;
  });
  definitions.close();
  run_linker({linker_driver({&source}), "-nostdlib", "-no-pie", "-fuse-ld=bfd", "-Wl,--unresolved-symbols=ignore-all",
              "-Wl,-e,0", "-Wl,--defsym,__dso_handle=0", "-w", source.path.string(), "@" + hidden.string(), "-o",
              result.string()});
  return result;
}

void EditBuild::write(const fs::path& output) const {
  write_checksum(result().string());
  std::error_code error;
  fs::copy_file(result(), output, fs::copy_options::overwrite_existing, error);
  if (error)
    throw CommandFailure(ExitCode::usage, ErrorCode::system,
                         output.string() + ": cannot be written: " + error.message());
}

void EditBuild::link() {
  const std::string build_id = build_id_of(build_.file());
  if (build_id.empty())
    refuse(options_.program +
           ": has no build id, so that a process of another build would not be noticed; link it with "
           "-Wl,--build-id=sha1");
  EntryTexts texts{"edit of " + join(outcome_.sources), unchanged_, {}, {}, false, patch()};
  texts.base = base();
  texts.resets = resets_;
  if (patch() == nullptr) texts.tree = comparison_.edited_tree();
  for (const diff::EditPlan& each : plans_) {
    texts.held.insert(texts.held.end(), each.held.begin(), each.held.end());
    texts.is_permanent |= each.is_permanent;
  }
  for (const auto& [source, types] : types_) texts.news.insert(types.news.begin(), types.news.end());
  if (patch() != nullptr) texts.patch_text = patch()->text().lexically_relative(comparison_.scratch());
  std::vector<const ComparedSource*> all;
  for (const ComparedSource& each : *compared_) all.push_back(&each);
  const fs::path entry = comparison_.scratch() / "entry.s";
  std::ofstream(entry) << entry_in_assembly(build_id, texts);
  std::vector<std::string> arguments{
      linker_driver(all),   "-shared",        "-nostartfiles", "-fuse-ld=bfd", "-Wl,--build-id=sha1",
      "-Wl,-z,noexecstack", "-Wl,--as-needed"};
  for (const ComparedSource* const each : sources_) arguments.push_back(update_object_of(*each).string());
  arguments.insert(arguments.end(), {entry.string(), "-o", result().string()});
  run_linker(arguments);
  require_all_classes();
}

/// Code that relies on a new layout must not come without what gives it to the objects.
void EditBuild::require_all_classes() const {
  const ElfFile file = ElfFile::open(result().string());
  GElf_Shdr header{};
  Elf_Scn* const section = file.section(classes_section);
  const std::size_t size = section != nullptr && ::gelf_getshdr(section, &header) != nullptr ? header.sh_size : 0;
  if (size != classes_.classes().size() * sizeof(detail::EditedClass))
    refuse("what converts the objects of " + join(names_of(classes_.classes())) +
           " is missing in the linked update; this is a fault of moult");
}

void EditBuild::run_linker(const std::vector<std::string>& arguments) const {
  if (options_.compiler.verbose) complain(join(arguments, " "));
  const CompilerMessages messages(comparison_.scratch() / "messages", options_.compiler.parse);
  const std::optional<bool> linked =
      run_compiler(arguments, comparison_.scratch().string(), messages.output(), deadline_);
  std::vector<Diagnostic> diagnostics = messages.take(comparison_.scratch().string());
  if (!linked)
    throw CommandFailure(ExitCode::postponed, ErrorCode::timed_out,
                         "the update was not linked in time; give it longer with --timeout");
  if (!*linked)
    throw CommandFailure(
        ExitCode::usage, ErrorCode::system,
        "the update cannot be linked" + std::string(options_.compiler.verbose ? "" : "; see the command with -v"),
        std::move(diagnostics));
}

}  // namespace moult::internal::cli
