// moult set: sets a program's log level and log file.
#include <filesystem>

#include "commands.hpp"

namespace moult::internal::cli {
namespace {

struct SetOptions : Aimed {
  std::string what;
  std::string value;
};

SetRequest request_of(const SetOptions& options) {
  if (options.what == "logpath") {
    // "" is standard error. A relative path refers to this command's working directory, not the program's.
    if (options.value.empty()) return {std::nullopt, ""};
    return {std::nullopt, std::filesystem::absolute(options.value).string()};
  }
  if (options.value != "0" && options.value != "1" && options.value != "2")
    throw CommandFailure(
        ExitCode::usage, ErrorCode::invalid_argument,
        "loglevel takes 0 (what the program logs itself), 1 (errors and postponements) or 2 (every step)");
  return {static_cast<LogLevel>(options.value.front() - '0'), std::nullopt};
}

ExitCode run_set(const SetOptions& options) {
  const SetRequest request = request_of(options);
  const Target target = find_target(options.target);
  const std::string line = ask(target, request, std::chrono::duration<double>(options.timeout));
  if (const std::optional<Failure> failure = parse_failure(printable(line)))
    fail(target, Error(failure->code, failure->message));
  if (options.json) print(line);
  return ExitCode::done;
}

}  // namespace

void add_set(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("set", "Set how much a program logs, and where");
  auto options = std::make_shared<SetOptions>();
  add_target(*command, *options);
  command->add_option("SETTING", options->what, "loglevel or logpath")
      ->required()
      ->check(CLI::IsMember({"loglevel", "logpath"}));
  command->add_option("VALUE", options->value, "0, 1 or 2; a file, or \"\" for standard error")->required();
  add_common(*command, *options, 10);
  command->footer("Examples:\n  moult set app loglevel 2\n  moult set app logpath /tmp/app.log");
  command->callback([=, &run] { run = [=] { return run_set(*options); }; });
}

}  // namespace moult::internal::cli
