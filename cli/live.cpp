// moult live: a running program follows the edits of its sources.
//
// Each save is built in a child process, so that a newer save can end it. The update is always of all that differs from
// the program's own file, not from the last edit: the program knows what earlier edits have made of it (docs/edits.md).
// When all has been edited back, the updates are rolled back.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.hpp"
#include "edit_build.hpp"
#include "source_files.hpp"
#include "source_watch.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct LiveOptions : Aimed {
  CompileOptions compile;
  VariableChoices choices;
  std::string after;
  bool once = false;
};

/// What a build has come to.
struct Built {
  ExitCode exit = ExitCode::done;
  EditOutcome edit;
  std::vector<std::string> compared;  ///< sources
};

/// A build of the edits there are, in a process of its own.
class BuildJob final {
 public:
  BuildJob(const ComparisonOptions& options, fs::path output, Deadline deadline);
  /// Ends the build, and removes what it has made, if it has not ended.
  ~BuildJob();
  BuildJob(const BuildJob&) = delete;
  BuildJob& operator=(const BuildJob&) = delete;

  /// Can be read when there is something of its result.
  int descriptor() const noexcept { return result_.get(); }
  /// Nothing if the build goes on.
  std::optional<Built> take();
  const fs::path& output() const noexcept { return output_; }

 private:
  fs::path output_;
  Fd result_;
  std::string text_;
  pid_t child_ = 0;
};

/// In the child: its whole life.
[[noreturn]] void build_and_tell(const ComparisonOptions& options, const fs::path& output, Deadline deadline,
                                 int result) {
  nlohmann::json told{{"exit", 0}};
  try {
    EditBuild build(options, deadline);
    build.compare();
    const EditOutcome& built = build.judge();
    if (!built.refusals.empty())
      throw CommandFailure(ExitCode::refused, ErrorCode::unsupported, join(built.refusals, "\n"));
    if (built.has_effect()) build.write(output);
    told["functions"] = built.functions;
    told["sources"] = built.sources;
    told["notes"] = built.notes;
    told["classes"] = names_of(built.classes);
    told["resets"] = built.resets;
    told["not_reset"] = built.not_reset;
    told["compared"] = nlohmann::json::array();
    for (const ComparedSource& each : build.compared()) told["compared"].push_back(each.command->file);
  } catch (const CommandFailure& failure) {
    complain(failure.what());
    told["exit"] = static_cast<int>(failure.exit());
  } catch (const std::exception& error) {
    complain(error.what());
    told["exit"] = static_cast<int>(ExitCode::refused);
  }
  const std::string text = told.dump();
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t size = ::write(result, text.data() + at, text.size() - at);
    if (size < 0 && errno != EINTR) break;
    if (size > 0) at += static_cast<std::size_t>(size);
  }
  ::_exit(0);
}

BuildJob::BuildJob(const ComparisonOptions& options, fs::path output, Deadline deadline) : output_(std::move(output)) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw CommandFailure(ExitCode::usage, ErrorCode::system, "no descriptors are left for a build");
  result_ = Fd(ends[0]);
  const Fd write_end(ends[1]);
  child_ = ::fork();
  if (child_ < 0) throw CommandFailure(ExitCode::usage, ErrorCode::system, "no process can be made for a build");
  if (child_ == 0) build_and_tell(options, output_, deadline, write_end.get());
}

BuildJob::~BuildJob() {
  if (child_ <= 0) return;
  ::kill(child_, SIGTERM);  // it ends its compiler, and removes its scratch folder
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) continue;
}

std::optional<Built> BuildJob::take() {
  char buffer[4096];
  const ssize_t size = ::read(result_.get(), buffer, sizeof buffer);
  if (size > 0) text_.append(buffer, static_cast<std::size_t>(size));
  if (size > 0 || (size < 0 && errno == EINTR)) return std::nullopt;
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) continue;
  child_ = 0;
  Built built;
  built.exit = ExitCode::refused;
  const auto told = nlohmann::json::parse(text_, nullptr, false);
  if (told.is_discarded()) return built;
  built.exit = static_cast<ExitCode>(told.at("exit").get<int>());
  if (built.exit != ExitCode::done) return built;
  built.edit.functions = told.at("functions").get<std::vector<std::string>>();
  built.edit.sources = told.at("sources").get<std::vector<std::string>>();
  built.edit.notes = told.at("notes").get<std::vector<std::string>>();
  for (const std::string& each : told.at("classes").get<std::vector<std::string>>())
    built.edit.classes.push_back({each, {}});
  built.edit.resets = told.at("resets").get<std::vector<std::string>>();
  built.edit.not_reset = told.at("not_reset").get<std::vector<std::string>>();
  built.compared = told.at("compared").get<std::vector<std::string>>();
  return built;
}

/// The program and what this command has made of it.
class Session final {
 public:
  Session(const LiveOptions& options, Target target)
      : options_(options),
        target_(std::move(target)),
        comparison_{.program = target_.program,
                    .running_file = target_.running_file(),
                    .with_edited = true,
                    .build_dir = options.compile.build_dir,
                    .choices = choices_of(options.choices),
                    .after = options.after,
                    .compiler = {.verbose = options.compile.verbose}} {}

  ExitCode run();

 private:
  ExitCode follow();
  std::unique_ptr<BuildJob> start_build();
  ExitCode use(const BuildJob& job, const Built& built);
  ExitCode apply(const BuildJob& job, const EditOutcome& edit);
  ExitCode take_back();
  std::string since_save() const { return to_text(Clock::now() - saved_); }

  const LiveOptions& options_;
  Target target_;
  ComparisonOptions comparison_;
  ScratchFolder scratch_{readers_for(target_)};
  std::size_t builds_ = 0;
  Clock::time_point saved_ = Clock::now();
  std::vector<std::uint64_t> applied_;  ///< updates
};

std::unique_ptr<BuildJob> Session::start_build() {
  const fs::path output = scratch_.path() / ("edit-" + std::to_string(++builds_) + ".so");
  return std::make_unique<BuildJob>(comparison_, output, deadline_of(options_));
}

ExitCode Session::run() {
  if (!options_.once) return follow();
  const std::unique_ptr<BuildJob> job = start_build();
  std::optional<Built> built;
  while (!built) built = job->take();
  return use(*job, *built);
}

ExitCode Session::follow() {
  constexpr std::chrono::milliseconds settling{50};
  const ProgramBuild build(comparison_);
  SourceWatch watch(source_files_of(build));
  if (!options_.json)
    print("following the sources of " + target_.describe() + "; Ctrl-C ends it and leaves the program as it is");
  std::unique_ptr<BuildJob> job = start_build();  // edits that were made before
  bool is_settling = false;
  for (;;) {
    pollfd ready[] = {{watch.descriptor(), POLLIN, 0}, {job ? job->descriptor() : -1, POLLIN, 0}};
    const int count = ::poll(ready, 2, is_settling ? static_cast<int>(settling.count()) : 1000);
    if (count < 0 && errno != EINTR) return ExitCode::failed;
    if (::kill(target_.pid, 0) != 0 && errno == ESRCH) {
      print(target_.describe() + " has ended");
      return ExitCode::done;
    }
    if (count == 0 && is_settling) {
      is_settling = false;
      saved_ = Clock::now();
      job = start_build();
    }
    if (count > 0 && ready[0].revents != 0 && watch.read()) {
      is_settling = true;
      job.reset();  // a newer save
    }
    if (count > 0 && job && ready[1].revents != 0) {
      if (const std::optional<Built> built = job->take()) {
        use(*job, *built);
        job.reset();
      }
    }
  }
}

ExitCode Session::use(const BuildJob& job, const Built& built) {
  if (built.exit != ExitCode::done) return built.exit;
  for (const std::string& note : built.edit.notes) complain("note: " + note);
  // The edit of that variable may be still to come.
  for (const std::string& each : built.edit.not_reset) complain("note: " + each);
  if (built.edit.has_effect()) {
    const ExitCode exit = apply(job, built.edit);
    // A source may be edited back with its old time: it is compared from now on.
    if (exit == ExitCode::done)
      for (const std::string& each : built.compared)
        if (std::ranges::find(comparison_.sources, each) == comparison_.sources.end())
          comparison_.sources.push_back(each);
    return exit;
  }
  if (!applied_.empty()) return take_back();
  if (options_.once && options_.json) print(R"({"ok":true,"updates":[]})");
  if (options_.once && !options_.json) print("no edit changes code of " + target_.describe());
  return ExitCode::done;
}

ExitCode Session::apply(const BuildJob& job, const EditOutcome& edit) {
  const std::chrono::milliseconds wait = time_left(deadline_of(options_));
  const std::string line =
      ask(target_, UpdateRequest{.path = job.output().string(), .wait = wait, .keep_trying = false},
          wait + std::chrono::seconds(5));
  const UpdatesReply reply = parse_updates(printable(line));
  if (options_.json) print(line);
  for (const std::string& warning : reply.warnings) complain("warning: " + warning);
  for (const UpdateReport& report : reply.updates) {
    if (report.state != UpdateState::applied) {
      complain(join(edit.sources) + ": not applied: " + report.reason);
      continue;
    }
    applied_.push_back(report.id);
    comparison_.after = job.output().string();
    if (options_.json) continue;
    print(join(edit.sources) + ": " + summary_of(edit) + "; paused " + to_text(report.pause) + "; active " +
          since_save() + " after the save");
  }
  if (reply.failure && reply.updates.empty()) complain(reply.failure->message);
  return exit_of_update(reply);
}

/// The sources are those of the program again.
ExitCode Session::take_back() {
  ExitCode exit = ExitCode::done;
  while (!applied_.empty()) {
    constexpr std::chrono::seconds wait{10};
    const std::string line = ask(target_, RollbackRequest{applied_.back(), wait}, wait + std::chrono::seconds(5));
    if (options_.json) print(line);
    if (const std::optional<Failure> failure = parse_failure(printable(line))) {
      complain("not taken back: " + failure->message);
      exit = ExitCode::failed;
      break;
    }
    applied_.pop_back();
    comparison_.after.clear();
  }
  if (exit == ExitCode::done && !options_.json)
    print("edited back: the program is as it was built; active " + since_save() + " after the save");
  return exit;
}

ExitCode run_live(const LiveOptions& options) { return Session(options, find_target(options.target)).run(); }

}  // namespace

void add_live(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("live", "Apply the edits of a program's sources as they are saved");
  auto options = std::make_shared<LiveOptions>();
  add_target(*command, *options);
  command->add_option("-p,--build-dir", options->compile.build_dir, "Where compile_commands.json is");
  command->add_flag("-v,--verbose", options->compile.verbose, "Show the compiler's commands");
  add_choices(*command, options->choices);
  command
      ->add_option("--after", options->after,
                   "Go on from the layouts of objects that this update, made of earlier edits, gave the program")
      ->check(CLI::ExistingFile);
  command->add_flag("--once", options->once, "Apply the edits there are, and end");
  add_common(*command, *options, 60, "For each edit: give up after that many seconds");
  command->footer(
      "Each save is compiled, compared with the program's file, and applied. What cannot be applied is refused, with\n"
      "the reason; the program goes on as it is.\n"
      "Examples:\n  moult live app\n  moult live 4711 --once");
  command->callback([=, &run] { run = [=] { return run_live(*options); }; });
}

}  // namespace moult::internal::cli
