// moult checksum: writes the checksum of a linked update into it. moult_update() calls it after the link.
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "elf/update_notes.hpp"

namespace moult::internal::cli {
namespace {

struct ChecksumOptions : Common {
  std::string file;
};

ExitCode run_checksum(const ChecksumOptions& options) {
  write_checksum(options.file);
  if (options.json) print(nlohmann::ordered_json{{"ok", true}, {"output", options.file}}.dump());
  return ExitCode::done;
}

}  // namespace

void add_checksum(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("checksum", "Write the checksum of a finished update into it, by which damage is noticed");
  auto options = std::make_shared<ChecksumOptions>();
  command->add_option("FILE", options->file, "The shared object")->required()->check(CLI::ExistingFile);
  add_common(*command, *options, 10);
  command->footer(
      "moult_update(), moult apply and moult build do it themselves. Do it again after a tool changed the file.\n"
      "Example:\n  strip --strip-debug update.so && moult checksum update.so");
  command->callback([=, &run] { run = [=] { return run_checksum(*options); }; });
}

}  // namespace moult::internal::cli
