// moult rollback: undoes an applied update, the last one or all, and withdraws those that wait.
#include <algorithm>
#include <charconv>

#include "commands.hpp"

namespace moult::internal::cli {
namespace {

struct RollbackOptions : Aimed {
  std::string update;
  bool all = false;
};

/// A whole number is an id, so an update with such a name is rolled back by its id.
RollbackRequest request_of(const RollbackOptions& options) {
  RollbackRequest request;
  request.wait = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout * 1000));
  const std::string& text = options.update;
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (options.all)
    request.update = AllUpdates{};
  else if (text.empty())
    request.update = LastUpdate{};
  else if (error == std::errc() && end == text.data() + text.size())
    request.update = id;
  else
    request.update = text;
  return request;
}

bool is_undone(const UpdateReport& report) {
  return report.state == UpdateState::rolled_back || report.state == UpdateState::aborted;
}

std::string line_of(const Target& target, const UpdateReport& report) {
  const std::string_view what = report.state == UpdateState::aborted ? "withdrawn" : "rolled back";
  return report.name + ": " + paint(Colour::good, what) + " in " + target.describe();
}

void tell(const Target& target, const UpdatesReply& reply) {
  for (const std::string& warning : reply.warnings) complain("warning: " + warning);
  for (const UpdateReport& report : reply.updates)
    if (is_undone(report)) print(line_of(target, report));
  if (reply.failure)
    complain(target.describe() + ": " + reply.failure->message + "; older updates stay applied (moult status " +
             std::to_string(target.pid) + ")");
  else if (reply.updates.empty())
    print("no update is applied to " + target.describe());
}

/// A rollback of all may have come some way.
ExitCode exit_of_rollback(const UpdatesReply& reply) {
  if (!reply.failure) return ExitCode::done;
  return std::ranges::any_of(reply.updates, is_undone) ? ExitCode::failed : exit_of(reply.failure->code);
}

ExitCode run_rollback(const RollbackOptions& options) {
  const Target target = find_target(options.target);
  const RollbackRequest request = request_of(options);
  constexpr std::chrono::seconds for_the_reply{5};
  const std::string line = ask(target, request, request.wait + for_the_reply);
  try {
    const UpdatesReply reply = parse_updates(printable(line));
    if (options.json)
      print(line);
    else
      tell(target, reply);
    return exit_of_rollback(reply);
  } catch (const Error& error) {
    fail(target, error);
  }
}

}  // namespace

void add_rollback(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("rollback", "Undo applied updates, or withdraw waiting ones");
  auto options = std::make_shared<RollbackOptions>();
  add_target(*command, *options);
  CLI::Option* const update =
      command
          ->add_option("UPDATE", options->update, "Its name or its id (moult status); without it, the last one applied")
          ->check(a_name());
  command->add_flag("--all", options->all, "Withdraw all that wait, then undo all that are applied, the last one first")
      ->excludes(update);
  add_common(*command, *options, 10);
  command->footer(
      "Examples:\n  moult rollback app\n  moult rollback app hello\n  moult rollback 4711 3 --timeout 30\n"
      "  moult rollback app --all");
  command->callback([=, &run] { run = [=] { return run_rollback(*options); }; });
}

}  // namespace moult::internal::cli
