// The subcommands: each adds itself to the application, and says what to do when it was the one given.
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

/// Set by the subcommand that was given; called after the arguments were read.
using Run = std::function<ExitCode()>;

/// What every subcommand takes.
struct Common {
  bool json = false;
  double timeout = 10;  ///< seconds
};
void add_common(CLI::App& command, Common& common, double timeout);
/// What every subcommand about one program takes.
struct Aimed : Common {
  std::string target;
};
void add_target(CLI::App& command, Aimed& aimed);
/// What every subcommand that compiles an update takes.
void add_compile_options(CLI::App& command, CompileOptions& options);
/// What an argument may be: a whole number; a text that is not empty.
CLI::Validator a_count();
CLI::Validator a_name();

/// Prints the reply as it came when JSON is wanted, and otherwise what `tell(value)` returns. A reply that says no is
/// thrown as CommandFailure, but printed first when JSON is wanted.
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

}  // namespace moult::internal::cli
