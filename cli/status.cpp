// moult status: shows a program, its managers and its updates.
#include <array>
#include <ctime>

#include "commands.hpp"

namespace moult::internal::cli {
namespace {

/// `patch` is null if the update was made from none.
std::string line_of(const UpdateReport& report, const PatchRecord* patch) {
  std::string line = "  " + std::to_string(report.id) + "  " + report.name + "  " +
                     paint(colour_of(report.state), state_text(report.state));
  if (report.state == UpdateState::applied) line += ", paused " + to_text(report.pause);
  if (report.postponements > 0)
    line += ", " + count_text(static_cast<std::size_t>(report.postponements), "postponement");
  if (!report.reason.empty()) line += ": " + report.reason;
  if (patch != nullptr) line += "\n       patch " + patch->name + " sha256 " + patch->sha256;
  for (const std::string& change : report.changes) line += "\n       " + change;
  return line;
}

/// The sources that the program corresponds to, by the newest edit of them; empty if it has none.
std::string line_of_sources(const StatusReply& status) {
  const TreeRecord* tree = nullptr;
  for (const UpdateReport& report : status.updates)
    if (const auto found = status.trees.find(report.id);
        found != status.trees.end() && report.state == UpdateState::applied)
      tree = &found->second;
  if (tree == nullptr) return {};
  const auto written = static_cast<std::time_t>(tree->time);
  std::tm local{};
  ::localtime_r(&written, &local);
  std::array<char, 40> date{};
  std::strftime(date.data(), date.size(), "%F %T", &local);
  return std::string("sources: the tree as of ") + date.data() + ", " + count_text(tree->files, "file") +
         " edited since it was built\n";
}

std::string render(const Target& target, const StatusReply& status) {
  std::string text = paint(Colour::strong, target.describe()) + "  " + status.program + "\n";
  text += "build id " + (status.build_id.empty() ? "none" : status.build_id) + "\n";
  text += "moult " + status.moult + " (abi " + std::to_string(status.abi) + "), " +
          count_text(status.threads, "thread") + ", log level " + std::to_string(status.log_level) + "\n";
  text += line_of_sources(status);
  text += "managers: " + (status.managers.empty() ? "none" : join(status.managers));
  text += status.updates.empty() ? "\nno updates" : "\nupdates:";
  for (const UpdateReport& report : status.updates) {
    const auto patch = status.patches.find(report.id);
    text += "\n" + line_of(report, patch == status.patches.end() ? nullptr : &patch->second);
  }
  return text;
}

ExitCode run_status(const Aimed& options) {
  const Target target = find_target(options.target);
  const std::string line = ask(target, StatusRequest{}, std::chrono::duration<double>(options.timeout));
  return answer(options, target, line, parse_status, [&](const StatusReply& status) { return render(target, status); });
}

}  // namespace

void add_status(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("status", "Show a program's managers and updates");
  auto options = std::make_shared<Aimed>();
  add_target(*command, *options);
  add_common(*command, *options, 10);
  command->footer(
      "Examples:\n  moult status app\n  moult status 4711 --json | jq '.updates[] | select(.state==\"applied\")'");
  command->callback([=, &run] { run = [=] { return run_status(*options); }; });
}

}  // namespace moult::internal::cli
