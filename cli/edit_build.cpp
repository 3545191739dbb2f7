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

/// For a string of assembly in one of C.
std::string name_of_edit(const BuiltEdit& built) {
  std::string name = "edit of " + join(built.sources);
  std::ranges::replace_if(
      name, [](unsigned char each) { return each < ' ' || each == '"' || each == '\\' || each == 0x7f; }, '_');
  return name;
}

/// C with assembly alone: the tables' places, and the entry that hands them to the program.
std::string entry_text(const std::string& build_id, const std::string& name) {
  const std::string abi = std::to_string(MOULT_ABI_VERSION);
  return target_note(build_id) + checksum_note() +
         "asm(\".pushsection .note.moult.abi,\\\"a\\\",@note\\n\"\n"
         "    \".balign 4\\n\"\n"
         "    \".long 6, 4, 1\\n\"\n"
         "    \".asciz \\\"moult\\\"\\n\"\n"
         "    \".balign 4\\n\"\n"
         "    \".long " +
         abi +
         "\\n\"\n"
         "    \".popsection\\n\");\n"
         "asm(\".pushsection .rodata\\n\"\n"
         "    \".balign 8\\n\"\n"
         "    \"moult_edit: .long " +
         std::to_string(edit_version) +
         "\\n\"\n"
         "    \".long __start_moult_functions - .\\n\"\n"
         "    \".long __stop_moult_functions - .\\n\"\n"
         "    \".long 1f - .\\n\"\n"
         "    \"1: .asciz \\\"" +
         name +
         "\\\"\\n\"\n"
         "    \".popsection\\n\"\n"
         "    \".hidden __start_moult_functions\\n\"\n"
         "    \".hidden __stop_moult_functions\\n\"\n"
         "    \".pushsection .text\\n\"\n"
         "    \".globl moult_update_entry\\n\"\n"
         "    \".type moult_update_entry, @function\\n\"\n"
         "    \"moult_update_entry:\\n\"\n"
         "    \".cfi_startproc\\n\"\n"
         "    \"leaq moult_edit(%rip), %rdi\\n\"\n"
         "    \"jmp moult_submit_edit@PLT\\n\"\n"
         "    \".cfi_endproc\\n\"\n"
         "    \".size moult_update_entry, . - moult_update_entry\\n\"\n"
         "    \".popsection\\n\");\n";
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
    return each.find("{lambda(") != std::string::npos || each.find("'lambda") != std::string::npos;
  });
}

/// "f" of "f()::".
std::string without_call(std::string scope) {
  constexpr std::string_view call = "()::";
  if (scope.ends_with(call)) scope.resize(scope.size() - call.size());
  return scope;
}

class EditBuild final {
 public:
  EditBuild(const ComparisonOptions& options, Deadline deadline, BuiltEdit& built)
      : options_(options),
        deadline_(deadline),
        build_(options),
        comparison_(build_, options, deadline),
        built_(built) {}

  void run(const fs::path& output);

 private:
  void plan(const std::vector<ComparedSource>& compared);
  fs::path update_object_of(const ComparedSource& source) const { return source.path.string() + ".update.o"; }
  void link(const fs::path& result) const;
  void require_same_classes(const fs::path& result) const;

  const ComparisonOptions& options_;
  Deadline deadline_;
  ProgramBuild build_;
  SourceComparison comparison_;
  BuiltEdit& built_;
  std::vector<const ComparedSource*> sources_;  ///< that the update has code of
};

void EditBuild::run(const fs::path& output) {
  const std::vector<ComparedSource>& compared = comparison_.run();
  if (compared.empty())
    throw CommandFailure(
        ExitCode::usage, ErrorCode::not_found,
        "no source of " + options_.program + " was written after it; --source FILE builds from one all the same");
  plan(compared);
  const fs::path result = comparison_.scratch() / "update.so";
  link(result);
  require_same_classes(result);
  write_checksum(result.string());
  std::error_code error;
  fs::copy_file(result, output, fs::copy_options::overwrite_existing, error);
  if (error)
    throw CommandFailure(ExitCode::usage, ErrorCode::system,
                         output.string() + ": cannot be written: " + error.message());
}

void EditBuild::plan(const std::vector<ComparedSource>& compared) {
  std::set<std::string, std::less<>> defined;
  std::vector<std::string> refusals;
  for (const ComparedSource& source : compared) {
    const diff::EditPlan plan = diff::plan_edit(*source.object, comparison_.program(), source.comparison, defined);
    for (const std::string& each : plan.refusals) refusals.push_back(source.shown + ": " + each);
    for (const std::string& each : plan.notes) built_.notes.push_back(source.shown + ": " + each);
    if (plan.functions.empty()) continue;
    for (const diff::ReplacedFunction& each : plan.functions)
      if (!each.replacement.empty()) built_.functions.push_back(each.name);
    if (refusals.empty())
      diff::write_update_object(source.path.string(), *source.object, plan, update_object_of(source));
    sources_.push_back(&source);
    built_.sources.push_back(source.shown);
  }
  if (!refusals.empty()) refuse(join(refusals, "\n"));
  if (built_.functions.empty())
    throw CommandFailure(ExitCode::usage, ErrorCode::not_found,
                         "the edits change no code of " + options_.program + " that is called after its start" +
                             (built_.notes.empty() ? std::string() : ":\n" + join(built_.notes, "\n")));
}

void EditBuild::link(const fs::path& result) const {
  const std::string build_id = build_id_of(build_.program());
  if (build_id.empty())
    refuse(options_.program +
           ": has no build id, so that a process of another build would not be noticed; link it with "
           "-Wl,--build-id=sha1");
  const fs::path entry = comparison_.scratch() / "entry.c";
  std::ofstream(entry) << entry_text(build_id, name_of_edit(built_));
  std::vector<std::string> arguments{
      linker_driver(sources_), "-shared",        "-nostartfiles", "-fuse-ld=bfd", "-Wl,--build-id=sha1",
      "-Wl,-z,noexecstack",    "-Wl,--as-needed"};
  for (const ComparedSource* const each : sources_) arguments.push_back(update_object_of(*each).string());
  arguments.insert(arguments.end(), {"-x", "c", entry.string(), "-o", result.string()});
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
void EditBuild::require_same_classes(const fs::path& result) const {
  const ElfFile file = ElfFile::open(result.string());
  const std::unique_ptr<DebugInfo> fresh = DebugInfo::open(file);
  if (fresh == nullptr) refuse("the edited sources have no debug information to compare classes by; build with -g");
  std::vector<std::string> refusals;
  for (const ComparedSource* const each : sources_) {
    const DebugUnit* const old = each->comparison.source;
    const auto unit = std::ranges::find_if(
        fresh->units(), [&](const DebugUnit& candidate) { return old != nullptr && is_same_source(*old, candidate); });
    if (unit == fresh->units().end())
      refuse(each->shown + ": the program's debug information of this source is not found; build it with -g");
    for (const diff::ClassDifference& difference : diff::compare_classes(*old, *unit)) {
      if (!difference.is_closure)
        refusals.push_back(each->shown + ": " + difference.name +
                           " has changed, and the program may have objects of it:\n" + difference.text +
                           "\nmoult apply with an update that redefines the class converts them");
      else if (uses_lambdas(built_.functions))
        refusals.push_back(each->shown + ": lambdas of " + demangle(without_call(difference.name)) +
                           " have changed, and the program may hold some of them: " + difference.text +
                           "; put new lambdas behind the old ones, or into functions of their own");
    }
  }
  if (!refusals.empty()) throw CommandFailure(ExitCode::refused, ErrorCode::layout_mismatch, join(refusals, "\n"));
}

}  // namespace

void build_edit(const ComparisonOptions& options, const fs::path& output, Deadline deadline, BuiltEdit& built) {
  EditBuild(options, deadline, built).run(output);
}

}  // namespace moult::internal::cli
