// The edited objects are linked to a shared object, without what the program has already (diff/edit_plan.hpp), and with
// the entry of an update. The compiler of the sources links it, so that its libraries are those of the program.
#include "edit_build.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "base/names.hpp"
#include "compiler_run.hpp"
#include "diff/class_comparison.hpp"
#include "diff/edit_plan.hpp"
#include "diff/update_object.hpp"
#include "elf/update_notes.hpp"
#include "moult/detail/abi.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& message) {
  throw CommandFailure(ExitCode::refused, ErrorCode::unsupported, message);
}

/// The text and a zero, in assembly.
std::string bytes_of(const std::string& text) {
  std::string line = ".byte ";
  for (const unsigned char each : text) line += std::to_string(static_cast<unsigned>(each)) + ",";
  return line + "0";
}

/// The notes of an update, and the entry that hands the program the tables' places. `unchanged` are the sources that
/// were compared and have no code in the update.
std::string entry_in_assembly(const std::string& build_id, const std::string& name,
                              const std::vector<std::string>& unchanged) {
  std::string sources;
  for (const std::string& each : unchanged) sources += bytes_of(each) + "\n";
  return target_note(build_id) + checksum_note() + note("abi", 1, 4, ".long " + std::to_string(MOULT_ABI_VERSION)) + R"(
  .section moult_sources, "a"
)" + sources +
         R"(
  .section .rodata
  .balign 8
moult_edit:
  .long )" +
         std::to_string(edit_version) + R"(
  .long __start_moult_functions - .
  .long __stop_moult_functions - .
  .long moult_edit_name - .
  .long __start_moult_sources - .
  .long __stop_moult_sources - .
moult_edit_name:
)" + bytes_of(name) +
         R"(
  .hidden __start_moult_functions, __stop_moult_functions, __start_moult_sources, __stop_moult_sources

  .text
  .globl moult_update_entry
  .type moult_update_entry, @function
moult_update_entry:
  .cfi_startproc
  leaq moult_edit(%rip), %rdi
  jmp moult_submit_edit@PLT
  .cfi_endproc
  .size moult_update_entry, . - moult_update_entry
  .section .note.GNU-stack, "", @progbits
)";
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

bool is_same_source(const DebugUnit& a, const DebugUnit& b) {
  return text_of(a, DW_AT_name) == text_of(b, DW_AT_name) && text_of(a, DW_AT_comp_dir) == text_of(b, DW_AT_comp_dir);
}

/// Whether code of lambdas is replaced, which objects of the program may lead to.
bool uses_lambdas(const std::vector<std::string>& functions) {
  return std::ranges::any_of(functions, [](const std::string& each) {
    return each.find("{lambda(") != std::string::npos || each.find("'lambda") != std::string::npos ||
           each.find("::$_") != std::string::npos;  // clang's
  });
}

/// "f" of "f()::".
std::string without_call(std::string scope) {
  constexpr std::string_view call = "()::";
  if (scope.ends_with(call)) scope.resize(scope.size() - call.size());
  return scope;
}

}  // namespace

void add_choices(CLI::App& command, VariableChoices& choices) {
  command.add_option("--rename", choices.renamed, "OLD=NEW: a variable has another name, and keeps its value");
  command.add_option("--new", choices.fresh, "A variable begins anew, though another one of its size is gone");
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
  return choices;
}

const std::vector<ComparedSource>& EditBuild::compare() {
  compared_ = &comparison_.run();
  return *compared_;
}

const EditOutcome& EditBuild::judge() {
  plan();
  if (outcome_.functions.empty() || !outcome_.refusals.empty()) return outcome_;
  link();
  compare_classes();
  return outcome_;
}

void EditBuild::plan() {
  std::set<std::string, std::less<>> defined;
  for (const ComparedSource& source : *compared_) {
    const diff::EditPlan plan =
        diff::plan_edit(*source.object, comparison_.program(), source.comparison, options_.choices, defined);
    for (const std::string& each : plan.refusals) outcome_.refusals.push_back(source.shown + ": " + each);
    for (const std::string& each : plan.notes) outcome_.notes.push_back(source.shown + ": " + each);
    if (plan.functions.empty()) {
      unchanged_.push_back(source.command->file);
      continue;
    }
    for (const diff::ReplacedFunction& each : plan.functions)
      if (!each.replacement.empty()) outcome_.functions.push_back(each.name);
    if (outcome_.refusals.empty())
      diff::write_update_object(source.path.string(), *source.object, plan, source.command->file,
                                update_object_of(source));
    sources_.push_back(&source);
    outcome_.sources.push_back(source.shown);
  }
}

void EditBuild::write(const fs::path& output) const {
  write_checksum(result().string());
  std::error_code error;
  fs::copy_file(result(), output, fs::copy_options::overwrite_existing, error);
  if (error)
    throw CommandFailure(ExitCode::usage, ErrorCode::system,
                         output.string() + ": cannot be written: " + error.message());
}

void EditBuild::link() const {
  const std::string build_id = build_id_of(build_.file());
  if (build_id.empty())
    refuse(options_.program +
           ": has no build id, so that a process of another build would not be noticed; link it with "
           "-Wl,--build-id=sha1");
  const fs::path entry = comparison_.scratch() / "entry.s";
  std::ofstream(entry) << entry_in_assembly(build_id, "edit of " + join(outcome_.sources), unchanged_);
  std::vector<std::string> arguments{
      linker_driver(sources_), "-shared",        "-nostartfiles", "-fuse-ld=bfd", "-Wl,--build-id=sha1",
      "-Wl,-z,noexecstack",    "-Wl,--as-needed"};
  for (const ComparedSource* const each : sources_) arguments.push_back(update_object_of(*each).string());
  arguments.insert(arguments.end(), {entry.string(), "-o", result().string()});
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

/// Old objects stay in use.
void EditBuild::compare_classes() {
  const ElfFile file = ElfFile::open(result().string());
  const std::unique_ptr<DebugInfo> fresh = DebugInfo::open(file);
  if (fresh == nullptr) refuse("the edited sources have no debug information to compare classes by; build with -g");
  for (const ComparedSource* const each : sources_) {
    const DebugUnit* const old = each->comparison.source;
    const auto unit = std::ranges::find_if(
        fresh->units(), [&](const DebugUnit& candidate) { return old != nullptr && is_same_source(*old, candidate); });
    if (unit == fresh->units().end())
      refuse(each->shown + ": the program's debug information of this source is not found; build it with -g");
    for (const diff::ClassDifference& difference : diff::compare_classes(*old, *unit)) {
      if (!difference.is_closure)
        outcome_.refusals.push_back(each->shown + ": " + difference.name +
                                    " has changed, and the program may have objects of it:\n" + difference.text +
                                    "\nmoult apply with an update that redefines the class converts them");
      else if (uses_lambdas(outcome_.functions))
        outcome_.refusals.push_back(each->shown + ": lambdas of " + demangle(without_call(difference.name)) +
                                    " have changed, and the program may hold some of them: " + difference.text +
                                    "; put new lambdas behind the old ones, or into functions of their own");
    }
  }
}

}  // namespace moult::internal::cli
