// moult threads: shows the stack of every thread.
#include "base/address.hpp"
#include "commands.hpp"

namespace moult::internal::cli {
namespace {

std::string render(const FrameRecord& frame) {
  const std::string offset = "+" + hex_text(frame.offset);
  std::string text = frame.function.empty() ? base_name(frame.module) + offset : frame.function + offset;
  if (!frame.precise) text = "? " + text;
  if (frame.inlined) text += " (inlined)";
  if (!frame.file.empty()) return text + paint(Colour::faint, "  " + frame.file + ":" + std::to_string(frame.line));
  return frame.function.empty() ? text : text + paint(Colour::faint, "  " + base_name(frame.module));
}

/// "int count = 42", or "int count: optimized out" without a value.
std::string render(const VariableRecord& variable) {
  const std::string name = variable.type.empty() ? variable.name : variable.type + " " + variable.name;
  if (!variable.value.empty()) return name + " = " + variable.value + paint(Colour::faint, "  " + variable.where);
  return name + ": " + variable.where;
}

std::string render(const ThreadsReply& reply) {
  std::string text;
  for (const ThreadRecord& thread : reply.threads) {
    if (!text.empty()) text += "\n\n";
    text += paint(Colour::strong, thread.name + " (" + std::to_string(thread.id) + ")");
    if (!thread.point.empty()) text += " waits at static update point \"" + thread.point + "\"";
    for (std::size_t depth = 0; depth < thread.frames.size(); ++depth) {
      text += "\n  #" + std::to_string(depth) + (depth < 10 ? "  " : " ") + render(thread.frames[depth]);
      for (const VariableRecord& variable : thread.frames[depth].locals) text += "\n         " + render(variable);
    }
  }
  return text;
}

struct ThreadsOptions : Aimed {
  bool locals = false;
};

ExitCode run_threads(const ThreadsOptions& options) {
  const Target target = find_target(options.target);
  const std::string line = ask(target, ThreadsRequest{options.locals}, std::chrono::duration<double>(options.timeout));
  return answer(options, target, line, parse_threads, [](const ThreadsReply& reply) { return render(reply); });
}

}  // namespace

void add_threads(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("threads", "Show the stack of every thread (stops the program briefly)");
  auto options = std::make_shared<ThreadsOptions>();
  add_target(*command, *options);
  add_common(*command, *options, 30);
  command->add_flag("--locals", options->locals, "Show the variables of each frame, and inlined calls as frames");
  command->footer(
      "A frame marked ? may be none: the stack could not be read precisely there.\n"
      "Examples:\n  moult threads app\n  moult threads app --locals\n  moult threads app --json | jq "
      "'.threads[].frames[0].function'");
  command->callback([=, &run] { run = [=] { return run_threads(*options); }; });
}

}  // namespace moult::internal::cli
