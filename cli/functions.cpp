// moult functions: lists the functions that an update may redefine.
#include "commands.hpp"

namespace moult::internal::cli {
namespace {

struct FunctionsOptions : Aimed {
  std::string match;
  std::size_t most = 200;
};

std::string render(const FunctionsOptions& options, const FunctionsReply& reply) {
  if (reply.functions.empty()) return "no function has \"" + options.match + "\" in its name";
  std::vector<std::vector<std::string>> rows{{"BYTES", "MODULE", "FUNCTION"}};
  for (const FunctionRecord& function : reply.functions)
    rows.push_back({std::to_string(function.size), base_name(function.module),
                    function.name + (function.redefined ? "  (redefined)" : "")});
  std::string table = to_table(rows);
  if (reply.total > reply.functions.size())
    table += "\n... and " + std::to_string(reply.total - reply.functions.size()) +
             " more: give more of the name, or --most " + std::to_string(reply.total);
  return table;
}

ExitCode run_functions(const FunctionsOptions& options) {
  const Target target = find_target(options.target);
  const FunctionsRequest request{options.match, options.most};
  const std::string line = ask(target, request, std::chrono::duration<double>(options.timeout));
  return answer(options, target, line, parse_functions,
                [&](const FunctionsReply& reply) { return render(options, reply); });
}

}  // namespace

void add_functions(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("functions", "List the functions of a program");
  auto options = std::make_shared<FunctionsOptions>();
  add_target(*command, *options);
  command->add_option("MATCH", options->match, "Only names that contain this");
  command->add_option("--most", options->most, "At most that many")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  add_common(*command, *options, 30);
  command->footer(
      "The program's own come first, then those of its libraries, moult's last.\n"
      "Examples:\n  moult functions app hello\n  moult functions app ns:: --most 1000 --json");
  command->callback([=, &run] { run = [=] { return run_functions(*options); }; });
}

}  // namespace moult::internal::cli
