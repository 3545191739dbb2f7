// moult ps: lists the programs with a listener. Removes what killed programs have left. Shows a socket without a
// listener when its program still runs.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/visible_text.hpp"
#include "commands.hpp"
#include "process_state.hpp"
#include "protocol/leftovers.hpp"

namespace moult::internal::cli {
namespace {

struct Listed {
  Target target;
  std::string state =
      "listening";  ///< or stale (no listener), foreign (another process listens), stopped, silent (no answer)
  StatusReply status;
};

Listed look_at(const FoundSocket& found, double timeout) {
  Listed listed;
  listed.target = {found.pid, program_of(found.pid), found.path.string()};
  try {
    listed.status = parse_status(ask(listed.target, StatusRequest{}, std::chrono::duration<double>(timeout)));
  } catch (const CommandFailure& failure) {
    const bool is_stopped = !obstacle_in_state(found.pid).empty();
    listed.state = failure.code() == ErrorCode::not_found           ? "stale"
                   : failure.code() == ErrorCode::permission_denied ? "foreign"
                   : is_stopped                                     ? "stopped"
                                                                    : "silent";
  } catch (const Error&) {
    listed.state = "silent";
  }
  return listed;
}

std::size_t in_force(const Listed& listed) {
  return static_cast<std::size_t>(
      std::ranges::count(listed.status.updates, UpdateState::applied, &UpdateReport::state));
}

std::string to_json(const std::vector<Listed>& all) {
  nlohmann::ordered_json programs = nlohmann::ordered_json::array();
  for (const Listed& each : all)
    programs.push_back({{"pid", each.target.pid},
                        {"program", each.target.program},
                        {"state", each.state},
                        {"threads", each.status.threads},
                        {"in_force", in_force(each)},
                        {"socket", each.target.socket}});
  const nlohmann::ordered_json reply = {{"ok", true}, {"programs", programs}};
  return reply.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string render(const std::vector<Listed>& all) {
  std::vector<std::vector<std::string>> rows{{"PID", "PROGRAM", "STATE", "THREADS", "UPDATES", "PATH"}};
  for (const Listed& each : all) {
    const bool answers = each.state == "listening";
    rows.push_back({std::to_string(each.target.pid),
                    each.target.program.empty() ? "-" : visible(base_name(each.target.program)), each.state,
                    answers ? std::to_string(each.status.threads) : "-", answers ? std::to_string(in_force(each)) : "-",
                    visible(answers ? each.target.program : each.target.socket)});
  }
  return to_table(rows);
}

ExitCode run_ps(const Common& options) {
  remove_leftovers(RuntimeSurroundings::of_this_process());
  std::vector<Listed> all;
  for (const FoundSocket& found : find_sockets(RuntimeSurroundings::of_this_process()))
    all.push_back(look_at(found, options.timeout));
  if (options.json)
    print(to_json(all));
  else if (all.empty())
    complain("no program of yours listens; one does as long as it keeps a moult::Listener");
  else
    print(render(all));
  return ExitCode::done;
}

}  // namespace

void add_ps(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("ps", "List the programs that can be updated");
  auto options = std::make_shared<Common>();
  add_common(*command, *options, 1);
  command->footer("Examples:\n  moult ps\n  moult ps --json | jq '.programs[].pid'");
  command->callback([=, &run] { run = [=] { return run_ps(*options); }; });
}

}  // namespace moult::internal::cli
