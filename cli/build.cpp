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
  std::vector<std::string> sources;  ///< of the program; empty: all that are newer than it
  std::string patch;                 ///< empty: the edits
  VariableChoices choices;
  std::string after;
  CompileOptions compile;
};

/// A program's file, or one that runs: then as it runs.
ComparisonOptions comparison_of(const BuildOptions& options) {
  ComparisonOptions wanted{.program = options.target,
                           .sources = options.sources,
                           .with_edited = true,
                           .patch = options.patch,
                           .build_dir = options.compile.build_dir,
                           .choices = choices_of(options.choices),
                           .after = options.after,
                           .compiler = {.verbose = options.compile.verbose, .parse = options.json}};
  std::error_code ignored;
  if (std::filesystem::is_regular_file(options.target, ignored)) return wanted;
  const Target target = find_target(options.target);
  wanted.program = target.program;
  wanted.running_file = target.running_file();
  return wanted;
}

void show(const BuildOptions& options, const ComparisonOptions& wanted, const EditBuild& build,
          const EditOutcome& built) {
  const SourcePatch* const patch = build.patch();
  if (options.json) {
    nlohmann::ordered_json reply{{"ok", true},
                                 {"output", std::filesystem::absolute(options.output).string()},
                                 {"sources", built.sources},
                                 {"functions", built.functions},
                                 {"classes", names_of(built.classes)},
                                 {"resets", built.resets},
                                 {"notes", built.notes}};
    if (patch != nullptr) reply["patch"] = json_of(*patch);
    return print(reply.dump());
  }
  const std::string from = patch == nullptr ? join(built.sources) : patch->name() + " (" + join(built.sources) + ")";
  print(options.output + ": built from " + from + ", for every process of " + base_name(wanted.program) + ": " +
        summary_of(built));
}

ExitCode build_from_edits(const BuildOptions& options) {
  if (is_source(options.output))
    throw CommandFailure(ExitCode::usage, ErrorCode::invalid_argument,
                         options.output + ": is a source; name the update to write, as in -o fix.so");
  const ComparisonOptions wanted = comparison_of(options);
  EditBuild build(wanted, deadline_of(options));
  // With the sources as they were, there is nothing to build.
  const std::string way_back =
      options.after.empty() ? ""
                            : "; moult rollback takes " + base_name(options.after) + " back in a process that has it";
  if (build.compare().empty())
    throw CommandFailure(ExitCode::usage, ErrorCode::not_found,
                         "no source of " + wanted.program +
                             " was written after it; --source FILE builds from one all the same" + way_back);
  const EditOutcome& built = build.judge();
  for (const std::string& note : built.notes) complain("note: " + note);
  if (!built.refusals.empty())
    throw CommandFailure(ExitCode::refused, ErrorCode::unsupported, join(built.refusals, "\n"));
  if (!built.not_reset.empty())
    throw CommandFailure(ExitCode::usage, ErrorCode::not_found, join(built.not_reset, "\n"));
  if (!built.has_effect())
    throw CommandFailure(ExitCode::usage, ErrorCode::not_found,
                         "the edits change no code of " + wanted.program + " that runs after its start" + way_back);
  build.write(options.output);
  show(options, wanted, build, built);
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
  CLI::Option* const file = command
                                ->add_option("FILE", options->file,
                                             "The update's source; without it, TARGET is a program's file whose "
                                             "sources were edited")
                                ->check(CLI::ExistingFile);
  command->add_option("--source", options->sources, "Without FILE: build from these sources, too, edited or not");
  add_patch(*command, options->patch)->excludes(file);
  add_choices(*command, options->choices);
  command
      ->add_option("--after", options->after,
                   "Without FILE: go on from the layouts of objects that this update, made of earlier edits, gave")
      ->check(CLI::ExistingFile);
  command->add_option("-o,--output", options->output, "The shared object to write")->required();
  add_compile_options(*command, options->compile);
  add_common(*command, *options, 60);
  command->footer(
      "Without FILE, the sources of the program that were written after it are compiled again, and the update has the\n"
      "functions that differ: for every process of that build. With --patch, copies of the sources are patched and "
      "compiled,\nand the update carries the patch. See docs/edits.md.\n"
      "Examples:\n  moult build build/app -o fix.so\n  moult build build/app --patch fix.patch -o fix.so\n  moult "
      "build app update.cpp -o update.so\n  moult build 4711 "
      "update.cpp -o u.so -p build -v");
  command->callback([=, &run] {
    options->compile.parse = options->json;
    run = [=] { return run_build(*options); };
  });
}

}  // namespace moult::internal::cli
