// moult: inspects and changes running programs with a moult::Listener. docs/protocol.md has the exit codes.
#include <algorithm>
#include <exception>
#include <string_view>
#include <vector>

#include "commands.hpp"
#include "protocol/reply.hpp"

namespace moult::internal::cli {
namespace {

constexpr const char* exit_codes = R"(Exit codes:
  0  applied, or the question was answered
  1  failed and undone; or only some of several updates are applied or rolled back (the message names them)
  2  wrong arguments, or a file that does not compile
  3  refused before moult changed anything
  4  timed out, and withdrawn; with --keep-trying: not applied yet, and moult keeps trying
  5  no such program, or not reachable

`moult COMMAND --help` shows each command with examples.)";

void add_all(CLI::App& app, Run& run) {
  add_ps(app, run);
  add_apply(app, run);
  add_check(app, run);
  add_build(app, run);
  add_diff(app, run);
  add_live(app, run);
  add_checksum(app, run);
  add_status(app, run);
  add_threads(app, run);
  add_functions(app, run);
  add_objects(app, run);
  add_log(app, run);
  add_rollback(app, run);
  add_set(app, run);
}

/// Needed before the arguments are parsed, or when they cannot be.
bool wants_json(int count, char** arguments) {
  return std::any_of(arguments, arguments + count, [](const char* each) { return std::string_view(each) == "--json"; });
}

int report(bool json, const CommandFailure& failure) {
  if (json)
    print(with_diagnostics(format_reply({}, Failure{failure.code(), failure.what()}), failure.diagnostics()));
  else
    complain(failure.what());
  return static_cast<int>(failure.exit());
}

/// The objection to the arguments, in words.
std::string objection_to(const CLI::App& app, const CLI::ParseError& error, int count, char** arguments) {
  const auto is_word = [](const char* each) { return *each != '-'; };
  char** const end = arguments + count;
  char** const word = std::find_if(arguments + 1, end, is_word);
  if (word == end) return "a command is missing; see moult --help";
  const std::vector<const CLI::App*> commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (std::ranges::find(commands, *word, &CLI::App::get_name) == commands.end())
    return "there is no command \"" + std::string(*word) + "\"; moult --help lists those there are";
  return std::string(error.what()) + "; see moult " + *word + " --help";
}

int run_command(int count, char** arguments) {
  CLI::App app("Changes running programs: functions, in all threads at once, safely.", "moult");
  app.set_version_flag("--version", "moult " MOULT_VERSION);
  app.require_subcommand(1);
  app.footer(exit_codes);
  Run run;
  add_all(app, run);
  try {
    app.parse(count, arguments);
  } catch (const CLI::Success& asked_for_help) {
    return app.exit(asked_for_help);
  } catch (const CLI::ParseError& error) {
    throw CommandFailure(ExitCode::usage, ErrorCode::invalid_argument, objection_to(app, error, count, arguments));
  }
  return static_cast<int>(run());
}

}  // namespace
}  // namespace moult::internal::cli

int main(int count, char** arguments) {
  const bool json = moult::internal::cli::wants_json(count, arguments);
  try {
    return moult::internal::cli::run_command(count, arguments);
  } catch (const moult::internal::cli::CommandFailure& failure) {
    return moult::internal::cli::report(json, failure);
  } catch (const moult::Error& error) {
    return moult::internal::cli::report(json,
                                        {moult::internal::cli::exit_of(error.code()), error.code(), error.what()});
  } catch (const std::exception& error) {
    return moult::internal::cli::report(
        json, {moult::internal::cli::ExitCode::failed, moult::ErrorCode::internal, error.what()});
  }
}
