// moult apply: applies updates to a running program; and its dry run, moult check.
//
// The program may be slow, stuck or stopped, and its user is not to be left in doubt. When the time is over, or a
// signal comes, the update is withdrawn: the program decides whether that is still possible, and its reply says what
// became of each update. Several files are sent one after the other. If one is not applied, the ones before are rolled
// back.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "commands.hpp"
#include "process_state.hpp"
#include "progress.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

struct ApplyOptions : Aimed {
  std::vector<std::string> files;
  CompileOptions compile;
  bool keep_trying = false;
};

/// An update's file as the user named it, and the shared object to send.
struct UpdateFile {
  std::string path;
  std::string shared_object;  ///< the file itself, or the result of compiling it
  std::string source;         ///< the file's name in the program's messages, if it is a source
};

/// Compiles the sources among the files.
std::vector<UpdateFile> make_update_files(const ApplyOptions& options, const Target& target,
                                          const ScratchFolder& scratch, Deadline deadline) {
  std::vector<UpdateFile> files;
  for (const std::string& file : options.files) {
    const std::string whole = fs::canonical(file).string();
    if (!is_source(file)) {
      files.push_back({file, whole, {}});
      continue;
    }
    const fs::path folder = scratch.path() / std::to_string(files.size());
    fs::create_directory(folder);
    const fs::path output = folder / fs::path(file).stem().concat(".so");
    compile_update(target, file, output, options.compile, deadline);
    files.push_back({file, output.string(), whole});
  }
  return files;
}

/// "hello: applied in 18 ms to app (pid 4711): hello redefined as hello_v2; paused 43 µs, 3 threads". Has the time only
/// when it is that of this update alone.
std::string summary_of(const Target& target, const UpdateReport& report, std::optional<std::chrono::nanoseconds> time) {
  std::string line = report.name + ": " + paint(Colour::good, "applied") + (time ? " in " + to_text(*time) : "") +
                     " to " + target.describe();
  if (!report.changes.empty()) line += ": " + join(report.changes);
  return line + "; paused " + to_text(report.pause) + ", " + count_text(report.threads, "thread");
}

/// Withdrawn when the time was over, or by a signal.
bool is_withdrawn(const UpdatesReply& reply, const UpdateReport& report) {
  return reply.withdrawn && report.state == UpdateState::aborted && report.code == ErrorCode::timed_out;
}

std::string shortfall_of(const Target& target, const UpdatesReply& reply, const UpdateReport& report,
                         bool keeps_trying) {
  if (is_withdrawn(reply, report))
    return report.name + ": " + paint(Colour::bad, "withdrawn") + " from " + target.describe() + ": not applied" +
           (report.reason.empty() ? "" : ": " + report.reason);
  const std::string_view preposition = report.state == UpdateState::refused ? " by " : " in ";
  std::string line = report.name + ": " + paint(colour_of(report.state), state_text(report.state)) +
                     std::string(preposition) + target.describe();
  if (!report.reason.empty()) line += ": " + report.reason;
  if (is_ended(report.state)) return line;
  const std::string status = " (moult status " + std::to_string(target.pid) + ")";
  return line + (keeps_trying ? "; moult keeps trying" : "; too late to be withdrawn") + status;
}

/// The line of a passed dry run.
std::string clearance_of(const Target& target, const UpdateReport& report, std::optional<std::chrono::nanoseconds>) {
  return report.name + ": " + paint(Colour::good, "check passed") + " in " + target.describe();
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

struct Outcome {
  ExitCode exit = ExitCode::done;
  UpdatesReply reply;
};

/// A stopped program would execute the request when it goes on, however late.
void require_running(const Target& target) {
  const std::string why = obstacle_in_state(target.pid);
  if (!why.empty())
    throw CommandFailure(ExitCode::postponed, ErrorCode::timed_out,
                         target.describe() + " " + why + "; nothing was sent to it");
}

void show(const ApplyOptions& options, const Target& target, const Errand& errand, const UpdatesReply& reply,
          Clock::duration time) {
  for (const std::string& warning : reply.warnings) complain("warning: " + warning);
  const auto own_time = reply.updates.size() == 1 ? std::optional(time) : std::nullopt;
  for (const UpdateReport& report : reply.updates)
    print(report.state == errand.wanted ? errand.describe(target, report, own_time)
                                        : shortfall_of(target, reply, report, options.keep_trying));
  tell_of_all(reply, time);
  // The failure of a single update is printed above.
  if (reply.failure && (reply.file_refused || reply.updates.empty()))
    complain(target.describe() + ": " + reply.failure->message);
}

/// Sends the request and prints the result of each update.
Outcome carry_out(const ApplyOptions& options, const Target& target, const Errand& errand) {
  require_running(target);
  const Clock::time_point begin = Clock::now();
  std::optional<StopProgress> shown;
  if (!options.json) shown.emplace(target);
  const std::string line =
      ask(target, errand.command, errand.timeout, [](const std::string& notice) { complain(notice); });
  shown.reset();
  Outcome outcome{.reply = parse(target, line)};
  outcome.exit = errand.exit_of(outcome.reply);
  if (options.json)
    print(line);
  else
    show(options, target, errand, outcome.reply, Clock::now() - begin);
  return outcome;
}

/// On a terminal, shows what goes on in the background until Ctrl-C. A script goes on at once.
void show_what_goes_on(const ApplyOptions& options, const Target& target) {
  if (!options.json && is_watched()) follow_conversions(target, Follow::drained);
}

/// Different for each request of this machine's commands.
std::string new_key() {
  return std::to_string(::getpid()) + "." + std::to_string(Clock::now().time_since_epoch().count());
}

/// Asks the program to withdraw a request that it may just be receiving. It says so in its reply to that request.
void withdraw(const Target& target, const std::string& key) noexcept {
  const Deadline deadline = Clock::now() + std::chrono::milliseconds(500);
  try {
    for (bool is_known = false; !is_known && Clock::now() < deadline;) {
      Client client = connect(target, deadline);
      const std::optional<Failure> failure = parse_failure(client.call(WithdrawRequest{key}, deadline));
      is_known = !failure || failure->code != ErrorCode::not_found;
      if (!is_known) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  } catch (const std::exception&) {  // the wait for the reply finds out what is wrong
  }
}

/// Applies files one after the other. A signal withdraws the file that is being applied.
class Application final {
 public:
  Application(const ApplyOptions& options, const Target& target, Deadline deadline)
      : options_(options), target_(target), deadline_(deadline), interruption_([this] { interrupt(); }) {}

  ExitCode apply(const std::vector<UpdateFile>& files) {
    for (const UpdateFile& file : files) {
      const ExitCode exit = apply_or_say_why(file);
      if (exit != ExitCode::done) return files.size() > 1 ? undo(file, exit) : end(exit);
      if (interruption_.signal() != 0 && &file != &files.back()) return undo(*(&file + 1), ExitCode::postponed);
    }
    if (interruption_.signal() != 0)
      complain("applied before it could be withdrawn; moult rollback " + std::to_string(target_.pid) + " undoes it");
    return ExitCode::done;
  }

 private:
  /// The program may not answer, and there may be something left to do.
  ExitCode apply_or_say_why(const UpdateFile& file) {
    try {
      return apply(file);
    } catch (const CommandFailure& failure) {
      // The file's entry may be running, and what it has submitted is to be withdrawn all the same.
      if (failure.code() == ErrorCode::timed_out && !options_.keep_trying) withdraw(target_, key_);
      if (options_.json)
        print(format_reply({}, Failure{failure.code(), failure.what()}));
      else
        complain(failure.what());
      return failure.exit();
    }
  }

  ExitCode apply(const UpdateFile& file) {
    // The program may need a moment to withdraw the update, or to end a change that it has begun.
    constexpr std::chrono::seconds for_the_end{5};
    const std::chrono::milliseconds wait = time_left(deadline_);
    const Outcome outcome = carry_out(options_, target_,
                                      {.command = UpdateRequest{.path = file.shared_object,
                                                                .force = options_.compile.force,
                                                                .wait = wait,
                                                                .source = file.source,
                                                                .keep_trying = options_.keep_trying,
                                                                .notices = true,
                                                                .key = key_},
                                       .timeout = wait + for_the_end,
                                       .wanted = UpdateState::applied,
                                       .describe = summary_of,
                                       .exit_of = exit_of_update});
    for (const UpdateReport& report : outcome.reply.updates)
      if (report.state == UpdateState::applied) applied_.push_back(report);
    if (outcome.reply.changed_directly) changed_directly_.push_back(file.path);
    return outcome.exit;
  }

  /// In the thread that waits for signals.
  void interrupt() const noexcept try {
    complain("withdrawing it; another signal (Ctrl-C) ends the command without an answer");
    withdraw(target_, key_);
  } catch (const std::exception&) {  // no memory for the words: the next signal ends the command
  }

  /// A file was not applied, so those before it are rolled back, and what was applied of it.
  ExitCode undo(const UpdateFile& culprit, ExitCode exit) {
    const bool all_are_undone = roll_back_applied(culprit);
    return end(all_are_undone ? exit : ExitCode::failed);
  }

  bool roll_back_applied(const UpdateFile& culprit) {
    bool all_are_undone = changed_directly_.empty();
    for (const std::string& file : changed_directly_)
      complain(file + ": what its entry changed by itself, in no update, stays");
    for (auto report = applied_.rbegin(); report != applied_.rend(); ++report) {
      const std::optional<Failure> failure = roll_back_one(*report);
      all_are_undone = all_are_undone && !failure;
      if (failure)
        complain(report->name + ": stays applied to " + target_.describe() + ": " + failure->message);
      else if (!options_.json)
        print(report->name + ": " + paint(Colour::good, "rolled back") + " in " + target_.describe() + ", as " +
              culprit.path + " was not applied");
    }
    return all_are_undone;
  }

  std::optional<Failure> roll_back_one(const UpdateReport& report) const try {
    constexpr std::chrono::seconds wait{10};
    const std::string line = ask(target_, RollbackRequest{report.id, wait}, wait + std::chrono::seconds(5));
    if (options_.json) print(line);
    return parse_failure(printable(line));
  } catch (const CommandFailure& failure) {
    return Failure{failure.code(), failure.what()};
  }

  /// A command that was interrupted ends as its shell expects it: by the signal.
  ExitCode end(ExitCode exit) const {
    if (interruption_.signal() != 0) interruption_.end_command();
    return exit;
  }

  const ApplyOptions& options_;
  const Target& target_;
  Deadline deadline_;
  std::string key_ = new_key();  ///< of all requests: there is one at a time
  std::vector<UpdateReport> applied_;
  std::vector<std::string> changed_directly_;  ///< files
  Interruption interruption_;
};

ExitCode run_apply(const ApplyOptions& options) {
  if (options.keep_trying && options.files.size() > 1)
    throw CommandFailure(ExitCode::usage, ErrorCode::invalid_argument,
                         "--keep-trying takes one file: of several, all are applied in time or none");
  const Deadline deadline = deadline_of(options);
  const Target target = find_target(options.target);
  require_same_files(target);
  const ScratchFolder scratch(readers_for(target));
  // All are compiled before the first is sent.
  const std::vector<UpdateFile> files = make_update_files(options, target, scratch, deadline);
  const ExitCode exit = Application(options, target, deadline).apply(files);
  if (exit == ExitCode::done) show_what_goes_on(options, target);
  return exit;
}

ExitCode run_check(const ApplyOptions& options) {
  const Deadline deadline = deadline_of(options);
  const Target target = find_target(options.target);
  require_same_files(target);
  const ScratchFolder scratch(readers_for(target));
  const UpdateFile file = make_update_files(options, target, scratch, deadline).front();
  const Outcome outcome = carry_out(options, target,
                                    {.command = CheckRequest{file.shared_object, options.compile.force, file.source},
                                     .timeout = std::max(time_left(deadline), std::chrono::milliseconds(1)),
                                     .wanted = UpdateState::queued,
                                     .describe = clearance_of,
                                     .exit_of = exit_of_check});
  // moult knows what it did itself, and not what the update's own code has done.
  if (!options.json && outcome.reply.code_ran)
    print("the update's code ran in " + target.describe() +
          " (its entry, and each update's prepare); moult itself changed nothing");
  return outcome.exit;
}

using Action = ExitCode (*)(const ApplyOptions&);

struct Texts {
  const char* name;
  const char* what;
  const char* footer;
  const char* timeout;
};

CLI::App& add(CLI::App& app, Run& run, const Texts& texts, const std::shared_ptr<ApplyOptions>& options,
              Action action) {
  CLI::App* const command = app.add_subcommand(texts.name, texts.what);
  add_target(*command, *options);
  add_compile_options(*command, options->compile);
  add_common(*command, *options, 60, texts.timeout);
  command->footer(texts.footer);
  command->callback([=, &run] {
    options->compile.parse = options->json;
    run = [=] { return action(*options); };
  });
  return *command;
}

constexpr const char* a_file = "An update: a .cpp, compiled with the program's own flags, or a .so";

}  // namespace

void add_apply(CLI::App& app, Run& run) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App& command =
      add(app, run,
          {.name = "apply",
           .what = "Apply updates to a running program",
           .footer =
               "Examples:\n  moult apply app update.cpp\n  moult apply 4711 build/update.so --timeout 5\n"
               "  moult apply app first.cpp second.cpp\n  moult apply app update.cpp -p build -v --json\n"
               "Several files are applied in that order. If one is not applied, those before it are rolled back.\n"
               "Ctrl-C withdraws the update. A second one leaves without an answer.\n"
               "A conversion of many objects is shown as it goes on: on a terminal by a bar, elsewhere a line now and "
               "then.",
           .timeout = "Withdraw what is not applied after that many seconds, compiling included"},
          options, run_apply);
  command.add_option("FILE", options->files, a_file)->required()->check(CLI::ExistingFile);
  command.add_flag("--keep-trying", options->keep_trying, "Leave the update to moult when the time is over");
}

void add_check(CLI::App& app, Run& run) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App& command =
      add(app, run,
          {.name = "check",
           .what = "Check whether an update could be applied, without applying it",
           .footer =
               "The file is loaded into the program and stays there. Its entry (MOULT_UPDATE) and the prepare step of "
               "each\nupdate run in the program: what that code does by itself happens. moult changes nothing.\n"
               "Examples:\n  moult check app update.cpp\n  moult check 4711 build/update.so --json",
           .timeout = "Give up after that many seconds, compiling included"},
          options, run_check);
  command.add_option("FILE", options->files, a_file)->required()->expected(1)->check(CLI::ExistingFile);
}

}  // namespace moult::internal::cli
