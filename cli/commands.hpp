// The subcommands: each adds itself to the application, and sets the action for its call.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "compiler.hpp"
#include "console.hpp"
#include "failure.hpp"
#include "target.hpp"

namespace moult::internal::cli {

/// Set by the subcommand of the call; called after the arguments are parsed.
using Run = std::function<ExitCode()>;

/// The options of every subcommand.
struct Common {
  bool json = false;
  double timeout = 10;  ///< seconds
};
void add_common(CLI::App& command, Common& common, double timeout,
                const std::string& what_timeout_is = "Give up after that many seconds");
/// When the time that the options give is over, counted from now.
Deadline deadline_of(const Common& common);
/// The time left until then, at least zero.
std::chrono::milliseconds time_left(Deadline deadline);
/// The options of every subcommand about one program.
struct Aimed : Common {
  std::string target;
};
void add_target(CLI::App& command, Aimed& aimed);
/// The options of every subcommand that compiles an update.
void add_compile_options(CLI::App& command, CompileOptions& options);
/// Validators: a whole number; a non-empty text.
CLI::Validator a_count();
CLI::Validator a_name();

/// Prints the unchanged reply for --json, otherwise the text of `tell(value)`. Throws a failed reply as CommandFailure;
/// for --json it is printed first.
template <class Parse, class Tell>
ExitCode answer(const Aimed& options, const Target& target, const std::string& line, Parse parse, Tell tell) {
  try {
    const auto value = parse(printable(line));
    print(options.json ? line : tell(value));
    return ExitCode::done;
  } catch (const Error& error) {
    fail(target, error);
  }
}

void add_ps(CLI::App& app, Run& run);
void add_status(CLI::App& app, Run& run);
void add_threads(CLI::App& app, Run& run);
void add_functions(CLI::App& app, Run& run);
void add_objects(CLI::App& app, Run& run);
void add_log(CLI::App& app, Run& run);
void add_set(CLI::App& app, Run& run);
void add_rollback(CLI::App& app, Run& run);
void add_apply(CLI::App& app, Run& run);
void add_check(CLI::App& app, Run& run);
void add_build(CLI::App& app, Run& run);
void add_diff(CLI::App& app, Run& run);
void add_live(CLI::App& app, Run& run);
void add_checksum(CLI::App& app, Run& run);

}  // namespace moult::internal::cli
