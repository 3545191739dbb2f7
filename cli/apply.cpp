// moult apply: an update into a running program; and its dry run, moult check.
#include <filesystem>

#include "commands.hpp"
#include "compiler.hpp"

namespace moult::cli {
namespace {

namespace fs = std::filesystem;

struct Options : Aimed {
  std::string file;
  bool force = false;
  CompileOptions compile;
};

/// The shared object to send: the file itself, or what was compiled from it.
std::string shared_object_of(const Options& options, const Target& target, const ScratchFolder& scratch) {
  if (!is_source(options.file)) return fs::canonical(options.file).string();
  const fs::path output = scratch.path() / fs::path(options.file).stem().concat(".so");
  compile_update(target, options.file, output, options.compile);
  return output.string();
}

/// "hello: applied in 18 ms to app (pid 4711): hello redefined as hello_v2; paused 43 µs, 3 threads".
std::string summary_of(const Target& target, const UpdateReport& report, std::chrono::nanoseconds time) {
  std::string line =
      report.name + ": " + paint(Colour::good, "applied") + " in " + to_text(time) + " to " + target.describe();
  if (!report.changes.empty()) line += ": " + join(report.changes);
  return line + "; paused " + to_text(report.pause) + ", " + count_text(report.threads, "thread");
}

std::string shortfall_of(const Target& target, const UpdateReport& report) {
  const std::string_view preposition = report.state == UpdateState::refused ? " by " : " in ";
  std::string line = report.name + ": " + paint(colour_of(report.state), protocol::state_text(report.state)) +
                     std::string(preposition) + target.describe();
  if (!report.reason.empty()) line += ": " + report.reason;
  const bool goes_on = report.state == UpdateState::queued || report.state == UpdateState::active;
  return goes_on ? line + "; it goes on by itself (moult status " + std::to_string(target.pid) + ")" : line;
}

/// True when the update was told of as the reason that the whole did not succeed.
bool tell(const Target& target, const UpdateReport& report, std::chrono::nanoseconds time) {
  const bool applied = report.state == UpdateState::applied;
  print(applied ? summary_of(target, report, time) : shortfall_of(target, report));
  return !applied;
}

protocol::UpdatesReply parse(const Target& target, const std::string& line) {
  try {
    return protocol::parse_updates(line);
  } catch (const Error& error) {
    fail(target, error);
  }
}

ExitCode run_apply(const Options& options) {
  using Clock = std::chrono::steady_clock;
  const Target target = find_target(options.target);
  const ScratchFolder scratch;
  const auto wait = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout * 1000));
  const protocol::UpdateRequest request{shared_object_of(options, target, scratch), options.force, wait};
  const Clock::time_point begin = Clock::now();
  constexpr std::chrono::seconds for_loading{10};
  const std::string line = ask(target, request, wait + for_loading);
  const std::chrono::nanoseconds time = Clock::now() - begin;
  const protocol::UpdatesReply reply = parse(target, line);
  if (options.json) {
    print(line);
    return exit_of(reply);
  }
  for (const std::string& warning : reply.warnings) complain("warning: " + warning);
  bool is_told = false;
  for (const UpdateReport& report : reply.updates) is_told = tell(target, report, time) || is_told;
  if (reply.failure && !is_told) complain(target.describe() + ": " + reply.failure->message);
  return exit_of(reply);
}

ExitCode run_check(const Options& options) {
  const Target target = find_target(options.target);
  const ScratchFolder scratch;
  const protocol::CheckRequest request{shared_object_of(options, target, scratch), options.force};
  const std::string line = ask(target, request, std::chrono::duration<double>(options.timeout));
  const protocol::UpdatesReply reply = parse(target, line);
  if (options.json) {
    print(line);
    return exit_of(reply);
  }
  for (const std::string& warning : reply.warnings) complain("warning: " + warning);
  bool is_told = false;
  for (const UpdateReport& report : reply.updates) {
    const bool passes = report.state == UpdateState::queued;
    print(passes ? report.name + ": " + paint(Colour::good, "nothing stands against it") + " in " + target.describe()
                 : shortfall_of(target, report));
    is_told = is_told || !passes;
  }
  if (reply.failure && !is_told) complain(target.describe() + ": " + reply.failure->message);
  return exit_of(reply);
}

void add_file_options(CLI::App& command, Options& options) {
  add_target(command, options);
  command.add_option("FILE", options.file, "An update: a .cpp, compiled with the program's own flags, or a .so")
      ->required()
      ->check(CLI::ExistingFile);
  command.add_flag("--force", options.force, "Go on though it was built for another build of the program");
  command.add_option("-p,--build-dir", options.compile.build_dir, "Where compile_commands.json is");
  command.add_flag("-v,--verbose", options.compile.verbose, "Show the compiler's command");
}

}  // namespace

void add_apply(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("apply", "Apply an update to a running program");
  auto options = std::make_shared<Options>();
  add_file_options(*command, *options);
  add_common(*command, *options, 30);
  command->footer(
      "Examples:\n  moult apply app update.cpp\n  moult apply 4711 build/update.so --timeout 5\n"
      "  moult apply app update.cpp -p build -v --json");
  command->callback([=, &run] { run = [=] { return run_apply(*options); }; });
}

void add_check(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("check", "Say what stands against an update, without applying it");
  auto options = std::make_shared<Options>();
  add_file_options(*command, *options);
  add_common(*command, *options, 30);
  command->footer(
      "The file is loaded into the program and stays there; nothing is changed.\n"
      "Examples:\n  moult check app update.cpp\n  moult check 4711 build/update.so --json");
  command->callback([=, &run] { run = [=] { return run_check(*options); }; });
}

}  // namespace moult::cli
