// moult threads: what every thread is doing now.
#include "base/address.hpp"
#include "commands.hpp"

namespace moult::cli {
namespace {

std::string render(const protocol::FrameRecord& frame) {
  const std::string offset = "+" + hex_text(frame.offset);
  std::string text = frame.function.empty() ? base_name(frame.module) + offset : frame.function + offset;
  if (!frame.precise) text = "? " + text;
  if (!frame.file.empty()) return text + paint(Colour::faint, "  " + frame.file + ":" + std::to_string(frame.line));
  return frame.function.empty() ? text : text + paint(Colour::faint, "  " + base_name(frame.module));
}

std::string render(const protocol::ThreadsReply& reply) {
  std::string text;
  for (const protocol::ThreadRecord& thread : reply.threads) {
    if (!text.empty()) text += "\n\n";
    text += paint(Colour::strong, thread.name + " (" + std::to_string(thread.id) + ")");
    if (!thread.point.empty()) text += " waits at static update point \"" + thread.point + "\"";
    for (std::size_t depth = 0; depth < thread.frames.size(); ++depth)
      text += "\n  #" + std::to_string(depth) + (depth < 10 ? "  " : " ") + render(thread.frames[depth]);
  }
  return text;
}

ExitCode run_threads(const Aimed& options) {
  const Target target = find_target(options.target);
  const std::string line = ask(target, protocol::ThreadsRequest{}, std::chrono::duration<double>(options.timeout));
  return answer(options, target, line, protocol::parse_threads,
                [](const protocol::ThreadsReply& reply) { return render(reply); });
}

}  // namespace

void add_threads(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("threads", "Show the stack of every thread (stops the program briefly)");
  auto options = std::make_shared<Aimed>();
  add_target(*command, *options);
  add_common(*command, *options, 30);
  command->footer(
      "A frame marked ? may be none: the stack could not be read precisely there.\n"
      "Examples:\n  moult threads app\n  moult threads app --json | jq '.threads[].frames[0].function'");
  command->callback([=, &run] { run = [=] { return run_threads(*options); }; });
}

}  // namespace moult::cli
