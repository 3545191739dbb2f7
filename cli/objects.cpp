// moult objects: lists the classes with a pool, and counts their live objects.
#include <optional>
#include <thread>

#include "commands.hpp"
#include "progress.hpp"

namespace moult::internal::cli {
namespace {

struct ObjectsOptions : Aimed {
  bool follow = false;
};

std::string name_of(const PoolRecord& pool, const HeldRecord& held) {
  if (pool.of_subclass) return held.class_name + " (subclasses)";
  if (held.class_name != pool.class_name) return held.class_name + " (made as " + pool.class_name + ")";
  return held.class_name;
}

std::string render(const std::vector<WaitingRecord>& waiting) {
  std::vector<std::vector<std::string>> rows{{"CONVERTED", "OF", "FAILED", "AT FIRST USE"}};
  for (const WaitingRecord& each : waiting)
    rows.push_back({std::to_string(each.converted), std::to_string(each.objects), std::to_string(each.failed),
                    each.old_class + " to " + each.new_class});
  return to_table(rows);
}

std::string render(const ObjectsReply& reply) {
  if (reply.pools.empty())
    return "no class of this program has a pool yet: one that derives from moult::Updatable gets it with its first "
           "object";
  std::vector<std::vector<std::string>> rows{{"LIVE", "OBJECT", "SLOT", "MEMORY", "CLASS"}};
  for (const PoolRecord& pool : reply.pools) {
    std::string memory = size_text(pool.resident + pool.metadata);
    for (const HeldRecord& held : pool.held)
      rows.push_back({std::to_string(held.live), std::to_string(held.object_size), std::to_string(pool.slot_size),
                      std::exchange(memory, ""), name_of(pool, held)});
  }
  const std::string pools = to_table(rows);
  return reply.waiting.empty() ? pools : pools + "\n\n" + render(reply.waiting);
}

ExitCode ask_once(const ObjectsOptions& options, const Target& target, bool& is_waiting) {
  std::optional<StopProgress> shown;  // shows work that keeps the program from answering
  if (!options.json) shown.emplace(target);
  const std::string line = ask(target, ObjectsRequest{}, std::chrono::duration<double>(options.timeout));
  shown.reset();
  return answer(options, target, line, parse_objects,
                [&](const ObjectsReply& reply) { return is_waiting = !reply.waiting.empty(), render(reply); });
}

/// Prints a reply a second, until one has no conversion.
ExitCode follow_replies(const ObjectsOptions& options, const Target& target) {
  for (;; std::this_thread::sleep_for(std::chrono::seconds(1))) {
    const std::string line = ask(target, ObjectsRequest{}, std::chrono::duration<double>(options.timeout));
    print(line);
    if (parse_objects(line).waiting.empty()) return ExitCode::done;
  }
}

ExitCode run_objects(const ObjectsOptions& options) {
  const Target target = find_target(options.target);
  if (options.follow && options.json) return follow_replies(options, target);
  bool is_waiting = false;
  const ExitCode exit = ask_once(options, target, is_waiting);
  if (options.follow && is_waiting) follow_conversions(target, Follow::all);
  return exit;
}

}  // namespace

void add_objects(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("objects", "Count the live objects of classes that have a pool");
  auto options = std::make_shared<ObjectsOptions>();
  add_target(*command, *options);
  command->add_flag("-f,--follow", options->follow, "Show conversions at first use until all are finished");
  add_common(*command, *options, 30);
  command->footer(
      "OBJECT and SLOT are bytes: an object may grow up to its slot. MEMORY is what the pool takes now.\n"
      "A second table tells how far conversions at first use are that are not finished.\n"
      "Examples:\n  moult objects app\n  moult objects -f app\n  moult objects app --json | jq '.pools[].held[].live'");
  command->callback([=, &run] { run = [=] { return run_objects(*options); }; });
}

}  // namespace moult::internal::cli
