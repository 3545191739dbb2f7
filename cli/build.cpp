// moult build: makes an update, for later or for several processes of one build: from an update's source, or from the
// edits of the program's own sources.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "edit_build.hpp"

namespace moult::internal::cli {
namespace {

struct BuildOptions : Aimed {
  std::string file;  ///< empty: the edits of the program's sources
  std::string output;
  std::vector<std::string> sources;  ///< of the program; empty: those that are newer than it
  CompileOptions compile;
};

ExitCode build_from_edits(const BuildOptions& options) {
  const ComparisonOptions wanted{options.target,
                                 options.sources,
                                 options.compile.build_dir,
                                 {.verbose = options.compile.verbose, .parse = options.json}};
  BuiltEdit built;
  build_edit(wanted, options.output, deadline_of(options), built);
  if (options.json) {
    print(nlohmann::ordered_json{{"ok", true},
                                 {"output", std::filesystem::absolute(options.output).string()},
                                 {"sources", built.sources},
                                 {"functions", built.functions},
                                 {"notes", built.notes}}
              .dump());
    return ExitCode::done;
  }
  for (const std::string& note : built.notes) complain("note: " + note);
  print(options.output + ": built from " + join(built.sources) + ", for every process of " + base_name(options.target) +
        ": " + count_text(built.functions.size(), "function") + " replaced (" + join(built.functions) + ")");
  return ExitCode::done;
}

ExitCode run_build(const BuildOptions& options) {
  if (options.file.empty()) return build_from_edits(options);
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
  CLI::App* const command =
      app.add_subcommand("build", "Make an update of a program, from a source or from edits of its own");
  auto options = std::make_shared<BuildOptions>();
  add_target(*command, *options);
  command
      ->add_option("FILE", options->file,
                   "The update's source; without it, TARGET is a program's file whose sources "
                   "were edited")
      ->check(CLI::ExistingFile);
  command->add_option("--source", options->sources, "Without FILE: build from these sources, edited or not");
  command->add_option("-o,--output", options->output, "The shared object to write")->required();
  add_compile_options(*command, options->compile);
  add_common(*command, *options, 60);
  command->footer(
      "Without FILE, the sources of the program that were written after it are compiled again, and the update has the\n"
      "functions that differ: for every process of that build. See docs/diff.md.\n"
      "Examples:\n  moult build build/app -o fix.so\n  moult build app update.cpp -o update.so\n  moult build 4711 "
      "update.cpp -o u.so -p build -v");
  command->callback([=, &run] {
    options->compile.parse = options->json;
    run = [=] { return run_build(*options); };
  });
}

}  // namespace moult::internal::cli
