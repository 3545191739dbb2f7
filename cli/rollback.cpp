// moult rollback: undoes an applied update.
#include <algorithm>
#include <charconv>

#include "commands.hpp"

namespace moult::internal::cli {
namespace {

struct RollbackOptions : Aimed {
  std::string update;
};

/// A whole number is an id, so an update with such a name is rolled back by its id.
std::variant<std::uint64_t, std::string> id_or_name(const std::string& text) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size()) return id;
  return text;
}

ExitCode run_rollback(const RollbackOptions& options) {
  const Target target = find_target(options.target);
  const auto wait = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout * 1000));
  constexpr std::chrono::seconds for_the_reply{5};
  const std::string line = ask(target, RollbackRequest{id_or_name(options.update), wait}, wait + for_the_reply);
  return answer(options, target, line, parse_updates, [&](const UpdatesReply& reply) {
    std::vector<std::string> names;
    for (const UpdateReport& report : reply.updates) names.push_back(report.name);
    const bool is_withdrawn = !reply.updates.empty() && reply.updates.front().state == UpdateState::aborted;
    const std::string_view what = is_withdrawn ? "withdrawn" : "rolled back";
    return join(names) + ": " + paint(Colour::good, what) + " in " + target.describe();
  });
}

}  // namespace

void add_rollback(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("rollback", "Undo an applied update, or withdraw a waiting one");
  auto options = std::make_shared<RollbackOptions>();
  add_target(*command, *options);
  command->add_option("UPDATE", options->update, "Its name or its id (moult status)")->required()->check(a_name());
  add_common(*command, *options, 10);
  command->footer("Examples:\n  moult rollback app hello\n  moult rollback 4711 3 --timeout 30");
  command->callback([=, &run] { run = [=] { return run_rollback(*options); }; });
}

}  // namespace moult::internal::cli
