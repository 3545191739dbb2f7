// moult: looks at and changes running programs that keep a moult::Listener. docs/protocol.md has the exit codes.
#include <algorithm>
#include <exception>
#include <string_view>

#include "commands.hpp"
#include "protocol/reply.hpp"

namespace moult::cli {
namespace {

constexpr const char* exit_codes = R"(Exit codes:
  0  the update is in force, or the question was answered
  1  failed and undone
  2  wrong arguments, or a file that does not compile
  3  refused before anything was touched
  4  postponed, or out of time
  5  no such program, or not reachable

`moult COMMAND --help` shows each command with examples.)";

void add_all(CLI::App& app, Run& run) {
  add_ps(app, run);
  add_apply(app, run);
  add_check(app, run);
  add_build(app, run);
  add_status(app, run);
  add_threads(app, run);
  add_functions(app, run);
  add_log(app, run);
  add_rollback(app, run);
  add_set(app, run);
}

/// Before the arguments are read, or when they cannot be.
bool wants_json(int count, char** arguments) {
  return std::any_of(arguments, arguments + count, [](const char* each) { return std::string_view(each) == "--json"; });
}

int report(bool json, const Trouble& trouble) {
  if (json)
    print(protocol::format_reply({}, protocol::Failure{trouble.code(), trouble.what()}));
  else
    complain(trouble.what());
  return static_cast<int>(trouble.exit());
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
    throw Trouble(ExitCode::usage, ErrorCode::invalid_argument, std::string(error.what()) + "; see moult --help");
  }
  return static_cast<int>(run());
}

}  // namespace
}  // namespace moult::cli

int main(int count, char** arguments) {
  using namespace moult;
  const bool json = cli::wants_json(count, arguments);
  try {
    return cli::run_command(count, arguments);
  } catch (const cli::Trouble& trouble) {
    return cli::report(json, trouble);
  } catch (const Error& error) {
    return cli::report(json, {cli::exit_of(error.code()), error.code(), error.what()});
  } catch (const std::exception& error) {
    return cli::report(json, {cli::ExitCode::failed, ErrorCode::internal, error.what()});
  }
}
