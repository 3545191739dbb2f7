// moult build: compiles an update to a shared object, for later or for several processes of one build.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands.hpp"

namespace moult::internal::cli {
namespace {

struct BuildOptions : Aimed {
  std::string file;
  std::string output;
  CompileOptions compile;
};

ExitCode run_build(const BuildOptions& options) {
  if (!is_source(options.file))
    throw CommandFailure(
        ExitCode::usage, ErrorCode::invalid_argument,
        options.file + ": is no C++ source (.cpp, .cc, .cxx, .C, .c++); moult apply takes a shared object as it is");
  const Deadline deadline = deadline_of(options);
  const Target target = find_target(options.target);
  const std::string output = std::filesystem::absolute(options.output).string();
  compile_update(target, options.file, output, options.compile, deadline);
  if (options.json)
    print(nlohmann::ordered_json{{"ok", true}, {"output", output}}.dump());
  else
    print(options.output + ": built for " + target.describe());
  return ExitCode::done;
}

}  // namespace

void add_build(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("build", "Compile an update for a running program");
  auto options = std::make_shared<BuildOptions>();
  add_target(*command, *options);
  command->add_option("FILE", options->file, "The update's source")->required()->check(CLI::ExistingFile);
  command->add_option("-o,--output", options->output, "The shared object to write")->required();
  add_compile_options(*command, options->compile);
  add_common(*command, *options, 60);
  command->footer(
      "Examples:\n  moult build app update.cpp -o update.so\n  moult build 4711 update.cpp -o u.so -p build -v");
  command->callback([=, &run] {
    options->compile.parse = options->json;
    run = [=] { return run_build(*options); };
  });
}

}  // namespace moult::internal::cli
