// moult diff: shows what the edits of a program's sources change in the program.
//
// Each source that was written after the program is compiled again, and its functions are compared with the program's
// (diff/). The program need not run, and neither old sources nor old objects are needed.
#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "commands.hpp"
#include "compilation_database.hpp"
#include "diff/file_comparison.hpp"
#include "fresh_object.hpp"
#include "scratch_folder.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;
using diff::ComparedItem;
using diff::DiffOutcome;
using diff::FileComparison;
using diff::ItemKind;

struct DiffOptions : Common {
  std::string program;
  std::vector<std::string> sources;  ///< empty: those that are newer than the program
  std::string build_dir;
  bool verbose = false;
};

struct ComparedSource {
  const CompileCommand* command = nullptr;
  std::string shown;  ///< the source's name, with its path if the program has several of that name
  FileComparison comparison{};
};

[[noreturn]] void usage(const std::string& message) {
  throw CommandFailure(ExitCode::usage, ErrorCode::not_found, message);
}

/// The compile commands of the program's sources.
class ProgramBuild final {
 public:
  explicit ProgramBuild(const DiffOptions& options);

  const std::string& program() const noexcept { return program_; }
  std::span<const CompileCommand* const> commands() const noexcept { return of_program_; }
  /// The command of the source; null if the program has no such source.
  const CompileCommand* command_of(const std::string& source, const std::string& folder) const;
  /// The source's name, with its path if the program has several of that name.
  std::string name_of(const CompileCommand& command) const;

 private:
  std::string program_;
  std::vector<CompileCommand> all_;
  std::vector<const CompileCommand*> of_program_;
};

ProgramBuild::ProgramBuild(const DiffOptions& options) : program_(fs::weakly_canonical(options.program).string()) {
  ElfFile::open(program_, options.program);  // what is no program has no sources either
  const fs::path database = find_compilation_database(options.build_dir, program_, program_);
  try {
    all_ = read_compilation_database(database);
  } catch (const Error& error) {
    const bool is_denied = error.code() == ErrorCode::permission_denied;
    throw CommandFailure(is_denied ? ExitCode::refused : ExitCode::usage, error.code(), error.what());
  }
  const ProgramSources sources = sources_of_program(program_, program_);
  if (sources.files.empty())
    throw CommandFailure(
        ExitCode::refused, ErrorCode::unsupported,
        options.program + ": has no debug information, so its sources are not known; build it with -g");
  of_program_ = commands_of_program(all_, program_, sources);
  if (of_program_.empty())
    usage(database.string() + ": has none of the sources of " + options.program +
          "; name the build folder of that program with --build-dir");
}

const CompileCommand* ProgramBuild::command_of(const std::string& source, const std::string& folder) const {
  const std::string wanted = resolved(source, folder);
  const auto found = std::ranges::find_if(
      of_program_, [&](const CompileCommand* each) { return resolved(each->file, each->directory) == wanted; });
  return found == of_program_.end() ? nullptr : *found;
}

std::string ProgramBuild::name_of(const CompileCommand& command) const {
  const std::string name = base_name(command.file);
  const auto count =
      std::ranges::count_if(of_program_, [&](const CompileCommand* each) { return base_name(each->file) == name; });
  return count == 1 ? name : fs::path(command.file).lexically_proximate(fs::current_path()).string();
}

/// Compiles sources of one program, and compares them.
class SourceComparison final {
 public:
  SourceComparison(const ProgramBuild& build, const DiffOptions& options)
      : build_(build),
        options_(options),
        fresh_{.verbose = options.verbose, .parse = options.json},
        deadline_(deadline_of(options)) {}

  /// Those that the options name, or that were edited.
  std::vector<ComparedSource> run();

 private:
  std::vector<const CompileCommand*> selected();
  std::vector<const CompileCommand*> named() const;
  bool is_edited(const CompileCommand& command);
  void judge_by_origin(std::vector<ComparedSource>& compared);
  bool is_judged_by_origin(const ComparedItem& function, const ComparedSource& in,
                           const std::vector<ComparedSource>& compared);

  const ProgramBuild& build_;
  const DiffOptions& options_;
  FreshObjectOptions fresh_;
  Deadline deadline_;
  ScratchFolder scratch_;
  RecordedDependencies recorded_{scratch_.path(), deadline_};
  std::map<const CompileCommand*, bool> edited_;
};

std::vector<ComparedSource> SourceComparison::run() {
  const std::vector<const CompileCommand*> commands = selected();
  if (commands.empty()) return {};
  const ElfFile file = ElfFile::open(build_.program(), options_.program);
  const diff::LinkedFile program(file);
  const std::unique_ptr<DebugInfo> debug_info = DebugInfo::open(file);
  std::vector<ComparedSource> compared;
  for (const CompileCommand* const command : commands) {
    const fs::path object = scratch_.path() / "fresh.o";
    compile_fresh_object(*command, object, fresh_, deadline_);
    const ElfFile object_file = ElfFile::open(object.string(), command->file);
    compared.push_back(
        {command, build_.name_of(*command), compare(diff::ObjectFile(object_file), program, debug_info.get())});
  }
  judge_by_origin(compared);
  return compared;
}

std::vector<const CompileCommand*> SourceComparison::selected() {
  if (!options_.sources.empty()) return named();
  std::vector<const CompileCommand*> edited;
  std::ranges::copy_if(build_.commands(), std::back_inserter(edited),
                       [&](const CompileCommand* each) { return is_edited(*each); });
  return edited;
}

std::vector<const CompileCommand*> SourceComparison::named() const {
  std::vector<const CompileCommand*> named;
  for (const std::string& source : options_.sources) {
    const CompileCommand* const command = build_.command_of(source, fs::current_path().string());
    if (command == nullptr)
      usage(source + ": is no source of " + options_.program +
            " by its debug information and compile_commands.json; name one that the program is built from");
    named.push_back(command);
  }
  return named;
}

bool SourceComparison::is_edited(const CompileCommand& command) {
  const auto [found, is_new] = edited_.try_emplace(&command);
  if (is_new)
    found->second = is_written_since(command, build_.program(), recorded_, scratch_.path(), fresh_, deadline_);
  return found->second;
}

/// A shared function that differs from the program's copy, which came from another source, has changed only if it has
/// in that source.
void SourceComparison::judge_by_origin(std::vector<ComparedSource>& compared) {
  for (ComparedSource& source : compared)
    for (ComparedItem& each : source.comparison.items)
      if (each.outcome == DiffOutcome::unknown && is_judged_by_origin(each, source, compared))
        each = {each.kind, each.symbol, each.name, DiffOutcome::same};
}

/// True when the source of the program's copy is compared, too, with the function in it, or was not edited.
bool SourceComparison::is_judged_by_origin(const ComparedItem& function, const ComparedSource& in,
                                           const std::vector<ComparedSource>& compared) {
  if (function.origin.empty()) return false;
  const CompileCommand* const origin = build_.command_of(function.origin, in.command->directory);
  if (origin == nullptr || origin == in.command) return false;
  const auto other = std::ranges::find(compared, origin, &ComparedSource::command);
  if (other == compared.end()) return !is_edited(*origin);
  return std::ranges::find(other->comparison.items, function.symbol, &ComparedItem::symbol) !=
         other->comparison.items.end();
}

void require_same_build(const std::vector<ComparedSource>& compared, const DiffOptions& options) {
  for (const ComparedSource& each : compared) {
    if (!each.comparison.is_of_other_build()) continue;
    const FileComparison& in = each.comparison;
    const auto functions = [&](DiffOutcome outcome) { return in.count(ItemKind::function, outcome); };
    const std::size_t different = functions(DiffOutcome::changed) + functions(DiffOutcome::unknown);
    throw CommandFailure(ExitCode::refused, ErrorCode::build_id_mismatch,
                         each.command->file + ": " + std::to_string(different) + " of " +
                             count_text(different + functions(DiffOutcome::same), "function") +
                             " differ from those in " + options.program +
                             ": the flags, the compiler or the sources are probably not those of the program; build it "
                             "again, or name its build folder with --build-dir");
  }
}

std::size_t count(const std::vector<ComparedSource>& compared, ItemKind kind, DiffOutcome outcome) {
  std::size_t total = 0;
  for (const ComparedSource& each : compared) total += each.comparison.count(kind, outcome);
  return total;
}

constexpr std::array item_kinds{ItemKind::function, ItemKind::variable, ItemKind::constant};
constexpr std::array shown_outcomes{DiffOutcome::changed, DiffOutcome::added, DiffOutcome::gone, DiffOutcome::unknown};

std::string_view name_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::function: return "function";
    case ItemKind::variable: return "variable";
    case ItemKind::constant: break;
  }
  return "constant";
}

std::string to_line(const ComparedSource& source, const ComparedItem& item, bool verbose) {
  constexpr std::size_t width = 9;
  const bool is_unknown = item.outcome == DiffOutcome::unknown;
  const std::string outcome(name_of(item.outcome));
  std::string line = paint(is_unknown ? Colour::bad : Colour::strong, outcome) +
                     std::string(width - outcome.size(), ' ') + item.name + "  in " + source.shown;
  if (item.kind != ItemKind::function) line += " (" + std::string(name_of(item.kind)) + ")";
  const bool shows_reason = is_unknown || item.kind == ItemKind::variable || verbose;
  return shows_reason && !item.reason.empty() ? line + ": " + item.reason : line;
}

/// "1 function changed, 1 new; 40 functions are the same": of functions, and of variables and constants if some are
/// not.
std::string summary(const std::vector<ComparedSource>& compared) {
  std::vector<std::string> parts;
  for (const ItemKind kind : item_kinds) {
    bool is_named = false;
    for (const DiffOutcome outcome : shown_outcomes) {
      const std::size_t number = count(compared, kind, outcome);
      if (number == 0) continue;
      const std::string text = is_named ? std::to_string(number) : count_text(number, name_of(kind));
      parts.push_back(text + " " + std::string(name_of(outcome)));
      is_named = true;
    }
  }
  const std::size_t same = count(compared, ItemKind::function, DiffOutcome::same);
  if (parts.empty()) return "all " + count_text(same, "function") + " are the same";
  return join(parts) + "; " + count_text(same, "function") + (same == 1 ? " is" : " are") + " the same";
}

std::string render(const std::vector<ComparedSource>& compared, const DiffOptions& options) {
  const std::string program = base_name(options.program);
  if (compared.empty())
    return "no source of " + program + " was written after it; --source FILE compares one all the same";
  std::string text;
  for (const ComparedSource& source : compared)
    for (const ComparedItem& item : source.comparison.items)
      if (std::ranges::find(shown_outcomes, item.outcome) != shown_outcomes.end())
        text += to_line(source, item, options.verbose) + "\n";
  return text + count_text(compared.size(), "file") + " compared with " + program + ": " + summary(compared);
}

nlohmann::ordered_json json_of(const ComparedSource& source) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const ComparedItem& each : source.comparison.items) {
    if (each.outcome == DiffOutcome::same) continue;
    nlohmann::ordered_json item{
        {"kind", name_of(each.kind)}, {"outcome", name_of(each.outcome)}, {"name", each.name}, {"symbol", each.symbol}};
    if (!each.reason.empty()) item["reason"] = each.reason;
    items.push_back(std::move(item));
  }
  return {{"source", source.command->file},
          {"same", source.comparison.count(ItemKind::function, DiffOutcome::same)},
          {"items", std::move(items)}};
}

std::string render_json(const std::vector<ComparedSource>& compared, const std::string& program) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const ComparedSource& each : compared) files.push_back(json_of(each));
  return nlohmann::ordered_json{{"ok", true}, {"program", program}, {"files", std::move(files)}}.dump();
}

ExitCode run_diff(const DiffOptions& options) {
  const ProgramBuild build(options);
  const std::vector<ComparedSource> compared = SourceComparison(build, options).run();
  require_same_build(compared, options);
  print(options.json ? render_json(compared, build.program()) : render(compared, options));
  const bool knows_all =
      std::ranges::all_of(item_kinds, [&](ItemKind kind) { return count(compared, kind, DiffOutcome::unknown) == 0; });
  return knows_all ? ExitCode::done : ExitCode::refused;
}

}  // namespace

void add_diff(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("diff", "Show which functions of a program the edits of its sources change");
  auto options = std::make_shared<DiffOptions>();
  command->add_option("PROGRAM", options->program, "The program's file")->required()->check(CLI::ExistingFile);
  command->add_option("--source", options->sources, "Compare these sources, whether or not they were edited");
  command->add_option("-p,--build-dir", options->build_dir, "Where compile_commands.json is");
  command->add_flag("-v,--verbose", options->verbose, "Show the compiler's commands, and the first difference of each");
  add_common(*command, *options, 600);
  command->footer(
      "Compiles each source that was written after the program, or of which a header was, and compares its functions\n"
      "with the program's. Ends with 3 if moult cannot judge one of them.\n"
      "Examples:\n  moult diff build/app\n  moult diff build/app --source src/answer.cpp -v\n  moult diff build/app "
      "--json");
  command->callback([=, &run] { run = [=] { return run_diff(*options); }; });
}

}  // namespace moult::internal::cli
