// moult apply: applies an update to a running program; and its dry run, moult check.
#include <filesystem>
#include <functional>
#include <optional>

#include "commands.hpp"
#include "process_state.hpp"
#include "progress.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

struct ApplyOptions : Aimed {
  std::string file;
  CompileOptions compile;
};

/// The shared object to send: the file itself, or the result of compiling it.
std::string shared_object_of(const ApplyOptions& options, const Target& target, const ScratchFolder& scratch) {
  if (!is_source(options.file)) return fs::canonical(options.file).string();
  const fs::path output = scratch.path() / fs::path(options.file).stem().concat(".so");
  compile_update(target, options.file, output, options.compile);
  return output.string();
}

/// "hello: applied in 18 ms to app (pid 4711): hello redefined as hello_v2; paused 43 µs, 3 threads". Has the time only
/// when it is that of this update alone.
std::string summary_of(const Target& target, const UpdateReport& report, std::optional<std::chrono::nanoseconds> time) {
  std::string line = report.name + ": " + paint(Colour::good, "applied") + (time ? " in " + to_text(*time) : "") +
                     " to " + target.describe();
  if (!report.changes.empty()) line += ": " + join(report.changes);
  return line + "; paused " + to_text(report.pause) + ", " + count_text(report.threads, "thread");
}

std::string shortfall_of(const Target& target, const UpdateReport& report) {
  const std::string_view preposition = report.state == UpdateState::refused ? " by " : " in ";
  std::string line = report.name + ": " + paint(colour_of(report.state), state_text(report.state)) +
                     std::string(preposition) + target.describe();
  if (!report.reason.empty()) line += ": " + report.reason;
  const bool goes_on = report.state == UpdateState::queued || report.state == UpdateState::active;
  return goes_on ? line + "; moult keeps trying (moult status " + std::to_string(target.pid) + ")" : line;
}

/// The line of a passed dry run.
std::string clearance_of(const Target& target, const UpdateReport& report, std::optional<std::chrono::nanoseconds>) {
  return report.name + ": " + paint(Colour::good, "check passed") + " in " + target.describe();
}

/// The name of the file for the program's messages: the source, if there is one.
std::string source_of(const ApplyOptions& options) {
  return is_source(options.file) ? fs::canonical(options.file).string() : std::string();
}

UpdatesReply parse(const Target& target, const std::string& line) {
  try {
    return parse_updates(printable(line));
  } catch (const Error& error) {
    fail(target, error);
  }
}

using Clock = std::chrono::steady_clock;
using Describe = std::function<std::string(const Target&, const UpdateReport&, std::optional<Clock::duration>)>;

std::vector<std::string> names_of(const UpdatesReply& reply, bool applied) {
  std::vector<std::string> names;
  for (const UpdateReport& report : reply.updates)
    if ((report.state == UpdateState::applied) == applied) names.push_back(report.name);
  return names;
}

/// For several updates: the total time, and which are applied when not all are.
void tell_of_all(const UpdatesReply& reply, Clock::duration time) {
  const std::vector<std::string> applied = names_of(reply, true);
  const std::vector<std::string> others = names_of(reply, false);
  if (applied.empty()) return;
  if (others.empty() && reply.updates.size() > 1)
    print(count_text(applied.size(), "update") + " applied in " + to_text(time));
  if (!others.empty()) complain("only some are applied: " + join(applied) + "; not applied: " + join(others));
}

/// The request to the program, and the treatment of its reply.
struct Errand {
  Command command;
  std::chrono::duration<double> timeout;
  UpdateState wanted;  ///< of each update; `describe` words the line of one that has reached it
  Describe describe;
  ExitCode (*exit_of)(const UpdatesReply&);
};

/// A stopped program would execute the request when it goes on, however late.
void require_running(const Target& target) {
  const std::string why = obstacle_in_state(target.pid);
  if (!why.empty())
    throw CommandFailure(ExitCode::postponed, ErrorCode::timed_out,
                         target.describe() + " " + why + "; nothing was sent to it");
}

/// Sends the request and prints the result of each update.
ExitCode carry_out(const ApplyOptions& options, const Target& target, const Errand& errand) {
  require_running(target);
  const Clock::time_point begin = Clock::now();
  std::optional<StopProgress> shown;
  if (!options.json) shown.emplace(target);
  const std::string line = ask(target, errand.command, errand.timeout);
  shown.reset();
  const Clock::duration time = Clock::now() - begin;
  const UpdatesReply reply = parse(target, line);
  if (options.json) {
    print(line);
    return errand.exit_of(reply);
  }
  for (const std::string& warning : reply.warnings) complain("warning: " + warning);
  const auto own_time = reply.updates.size() == 1 ? std::optional(time) : std::nullopt;
  for (const UpdateReport& report : reply.updates)
    print(report.state == errand.wanted ? errand.describe(target, report, own_time) : shortfall_of(target, report));
  tell_of_all(reply, time);
  // The failure of a single update is printed above.
  if (reply.failure && (reply.file_refused || reply.updates.empty()))
    complain(target.describe() + ": " + reply.failure->message);
  return errand.exit_of(reply);
}

/// On a terminal, shows what goes on in the background until Ctrl-C. A script goes on at once.
void show_what_goes_on(const ApplyOptions& options, const Target& target) {
  if (!options.json && is_watched()) follow_conversions(target, Follow::drained);
}

ExitCode run_apply(const ApplyOptions& options) {
  const Target target = find_target(options.target);
  const ScratchFolder scratch;
  const auto wait = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout * 1000));
  constexpr std::chrono::seconds for_loading{10};
  const ExitCode exit = carry_out(options, target,
                                  {.command = UpdateRequest{shared_object_of(options, target, scratch),
                                                            options.compile.force, wait, source_of(options)},
                                   .timeout = wait + for_loading,
                                   .wanted = UpdateState::applied,
                                   .describe = summary_of,
                                   .exit_of = exit_of_update});
  if (exit == ExitCode::done) show_what_goes_on(options, target);
  return exit;
}

ExitCode run_check(const ApplyOptions& options) {
  const Target target = find_target(options.target);
  const ScratchFolder scratch;
  return carry_out(
      options, target,
      {.command = CheckRequest{shared_object_of(options, target, scratch), options.compile.force, source_of(options)},
       .timeout = std::chrono::duration<double>(options.timeout),
       .wanted = UpdateState::queued,
       .describe = clearance_of,
       .exit_of = exit_of_check});
}

using Action = ExitCode (*)(const ApplyOptions&);

void add(CLI::App& app, Run& run, const char* name, const char* what, const char* footer, Action action) {
  CLI::App* const command = app.add_subcommand(name, what);
  auto options = std::make_shared<ApplyOptions>();
  add_target(*command, *options);
  command->add_option("FILE", options->file, "An update: a .cpp, compiled with the program's own flags, or a .so")
      ->required()
      ->check(CLI::ExistingFile);
  add_compile_options(*command, options->compile);
  add_common(*command, *options, 30);
  command->footer(footer);
  command->callback([=, &run] { run = [=] { return action(*options); }; });
}

}  // namespace

void add_apply(CLI::App& app, Run& run) {
  add(app, run, "apply", "Apply an update to a running program",
      "Examples:\n  moult apply app update.cpp\n  moult apply 4711 build/update.so --timeout 5\n"
      "  moult apply app update.cpp -p build -v --json\n"
      "A conversion of many objects is shown as it goes on: on a terminal by a bar, elsewhere a line now and then.",
      run_apply);
}

void add_check(CLI::App& app, Run& run) {
  add(app, run, "check", "Check whether an update could be applied, without applying it",
      "The file is loaded into the program and stays there; nothing is changed.\n"
      "Examples:\n  moult check app update.cpp\n  moult check 4711 build/update.so --json",
      run_check);
}

}  // namespace moult::internal::cli
