// moult diff: shows what the edits of a program's sources change in the program.
//
// Each source that was written after the program is compiled again, and its functions are compared with the program's
// (diff/). The program need not run, and neither old sources nor old objects are needed.
#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "diff/made_functions.hpp"
#include "edit_build.hpp"

namespace moult::internal::cli {
namespace {

using diff::ComparedItem;
using diff::DiffOutcome;
using diff::ItemKind;

struct DiffOptions : Common {
  std::string program;
  std::vector<std::string> sources;  ///< empty: those that are newer than the program
  std::string patch;                 ///< empty: the edits of the sources
  std::string build_dir;
  VariableChoices choices;
  bool verbose = false;
};

/// The source does not have what converts objects.
bool is_of_source(const ComparedItem& item) { return !diff::is_of_added_code(item.name); }

std::size_t count(const std::vector<ComparedSource>& compared, ItemKind kind, DiffOutcome outcome) {
  std::size_t total = 0;
  for (const ComparedSource& each : compared)
    total += static_cast<std::size_t>(std::ranges::count_if(each.comparison.items, [&](const ComparedItem& item) {
      return item.kind == kind && item.outcome == outcome && is_of_source(item);
    }));
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

/// A refusal of what is unknown would only repeat the item's line.
bool is_shown(const std::vector<ComparedSource>& compared, const std::string& refusal) {
  return std::ranges::none_of(compared, [&](const ComparedSource& source) {
    return std::ranges::any_of(source.comparison.items, [&](const ComparedItem& each) {
      return each.outcome == DiffOutcome::unknown && refusal == source.shown + ": " + each.name + ": " + each.reason;
    });
  });
}

std::string render(const std::vector<ComparedSource>& compared, const EditOutcome& outcome,
                   const DiffOptions& options) {
  const std::string program = base_name(options.program);
  if (compared.empty())
    return "no source of " + program + " was written after it; --source FILE compares one all the same";
  std::string text;
  for (const ComparedSource& source : compared)
    for (const ComparedItem& item : source.comparison.items)
      if (is_of_source(item) && std::ranges::find(shown_outcomes, item.outcome) != shown_outcomes.end())
        text += to_line(source, item, options.verbose) + "\n";
  for (const EditedClassText& each : outcome.classes)
    if (outcome.refusals.empty())
      text += paint(Colour::strong, "changed") + "  " + each.name + "  (class; its objects get the new layout):\n" +
              each.difference + "\n";
  for (const std::string& each : outcome.resets)
    if (outcome.refusals.empty()) text += paint(Colour::strong, "reset") + "    " + each + "  (variable)\n";
  for (const std::string& each : outcome.notes) text += "note     " + each + "\n";
  for (const std::string& each : outcome.not_reset) text += "note     " + each + "\n";
  for (const std::string& each : outcome.refusals)
    if (is_shown(compared, each)) text += paint(Colour::bad, "refused") + "  " + each + "\n";
  return text + count_text(compared.size(), "file") + " compared with " + program + ": " + summary(compared);
}

nlohmann::ordered_json json_of(const ComparedSource& source) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const ComparedItem& each : source.comparison.items) {
    if (each.outcome == DiffOutcome::same || !is_of_source(each)) continue;
    nlohmann::ordered_json item{
        {"kind", name_of(each.kind)}, {"outcome", name_of(each.outcome)}, {"name", each.name}, {"symbol", each.symbol}};
    if (!each.reason.empty()) item["reason"] = each.reason;
    items.push_back(std::move(item));
  }
  return {{"source", source.command->file},
          {"same", source.comparison.count(ItemKind::function, DiffOutcome::same)},
          {"items", std::move(items)}};
}

std::string render_json(const EditBuild& build, const EditOutcome& outcome) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const ComparedSource& each : build.compared()) files.push_back(json_of(each));
  nlohmann::ordered_json reply{{"ok", true},
                               {"program", build.program().program()},
                               {"files", std::move(files)},
                               {"replaced", outcome.functions},
                               {"classes", names_of(outcome.classes)},
                               {"resets", outcome.resets},
                               {"notes", outcome.notes},
                               {"refusals", outcome.refusals}};
  if (const SourcePatch* const patch = build.patch()) reply["patch"] = json_of(*patch);
  return reply.dump();
}

ExitCode run_diff(const DiffOptions& options) {
  const ComparisonOptions wanted{.program = options.program,
                                 .sources = options.sources,
                                 .patch = options.patch,
                                 .build_dir = options.build_dir,
                                 .choices = choices_of(options.choices),
                                 .compiler = {.verbose = options.verbose, .parse = options.json}};
  EditBuild build(wanted, deadline_of(options));
  const std::vector<ComparedSource>& compared = build.compare();
  const EditOutcome& outcome = build.judge();
  print(options.json ? render_json(build, outcome) : render(compared, outcome, options));
  return outcome.refusals.empty() ? ExitCode::done : ExitCode::refused;
}

}  // namespace

void add_diff(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("diff", "Show which functions of a program the edits of its sources change");
  auto options = std::make_shared<DiffOptions>();
  command->add_option("PROGRAM", options->program, "The program's file")->required()->check(CLI::ExistingFile);
  command->add_option("--source", options->sources, "Compare these sources, whether or not they were edited");
  add_patch(*command, options->patch);
  add_choices(*command, options->choices);
  command->add_option("-p,--build-dir", options->build_dir, "Where compile_commands.json is");
  command->add_flag("-v,--verbose", options->verbose, "Show the compiler's commands, and the first difference of each");
  add_common(*command, *options, 600);
  command->footer(
      "Compiles each source that was written after the program, or of which a header was, and compares its functions\n"
      "with the program's. Ends with 3 if the edits cannot be applied to a running program, or moult cannot judge "
      "one.\n"
      "Examples:\n  moult diff build/app\n  moult diff build/app --source src/answer.cpp -v\n  moult diff build/app "
      "--patch fix.patch\n  moult diff build/app --json");
  command->callback([=, &run] { run = [=] { return run_diff(*options); }; });
}

}  // namespace moult::internal::cli
