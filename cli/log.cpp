// moult log: shows the events that a program stores, and new ones.
#include <array>
#include <cmath>
#include <ctime>

#include "commands.hpp"

namespace moult::internal::cli {
namespace {

struct LogOptions : Aimed {
  bool follow = false;
  std::uint64_t after = 0;
};

std::string clock_time(double seconds) {
  const auto whole = static_cast<std::time_t>(seconds);
  std::tm local{};
  ::localtime_r(&whole, &local);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  const int milliseconds = static_cast<int>((seconds - std::floor(seconds)) * 1000);
  std::snprintf(text.data() + length, text.size() - length, ".%03d", milliseconds);
  return text.data();
}

void show(const LogOptions& options, const EventRecord& event) {
  print(options.json ? format_event(event) : paint(Colour::faint, clock_time(event.time)) + "  " + event.text);
}

/// The text of a line; unchanged for machines.
std::string shown(const LogOptions& options, const std::string& line) { return options.json ? line : printable(line); }

/// Until the program ends or the user presses Ctrl-C.
ExitCode follow(const LogOptions& options, const Target& target, Client client) {
  const Deadline never = std::chrono::steady_clock::now() + std::chrono::hours(24 * 365);
  while (true) {
    std::string line;
    try {
      line = client.read_line(never);
    } catch (const Error&) {
      if (!options.json) complain(target.describe() + " has ended, or its listener has");
      return ExitCode::done;
    }
    show(options, parse_event(shown(options, line)));
  }
}

ExitCode run_log(const LogOptions& options) {
  const Target target = find_target(options.target);
  const LogRequest request{options.after, options.follow};
  const auto timeout = std::chrono::duration<double>(options.timeout);
  if (!options.follow) {
    const std::string line = ask(target, request, timeout);
    if (options.json) return answer(options, target, line, parse_events, [](const auto&) { return ""; });
    for (const EventRecord& event : parse_events(printable(line)).events) show(options, event);
    return ExitCode::done;
  }
  const Deadline deadline =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  Client client = connect(target, deadline);
  for (const EventRecord& event : parse_events(shown(options, client.call(request, deadline))).events)
    show(options, event);
  return follow(options, target, std::move(client));
}

}  // namespace

void add_log(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("log", "Show what moult did in a program");
  auto options = std::make_shared<LogOptions>();
  add_target(*command, *options);
  command->add_flag("-f,--follow", options->follow, "Go on with what happens from now on");
  command->add_option("--after", options->after, "Only events with a number above this")->check(a_count());
  add_common(*command, *options, 10);
  command->footer("Examples:\n  moult log app\n  moult log -f app\n  moult log -f app --json | jq --unbuffered .text");
  command->callback([=, &run] { run = [=] { return run_log(*options); }; });
}

}  // namespace moult::internal::cli
