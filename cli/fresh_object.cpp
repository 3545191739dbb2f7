// The object must be what the build would make, so that a difference means an edit: the command is taken as it is, with
// its compiler cache. -ffunction-sections and -fdata-sections change no function's code, but keep the functions and
// variables apart, so that an edit of one does not move the others.
//
// Limits: with link-time optimisation there is no code to compare before the link.
#include "fresh_object.hpp"

#include "changed_headers.hpp"
#include "compiler_run.hpp"
#include "console.hpp"
#include "failure.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

/// `arguments` come without the place of a result.
void run(const CompileCommand& command, std::vector<std::string> arguments, const fs::path& messages_file,
         const FreshObjectOptions& options, Deadline deadline) {
  if (options.parse) arguments.emplace_back("-fdiagnostics-color=never");
  if (options.verbose) complain("in " + command.directory + ": " + join(arguments, " "));
  const CompilerMessages messages(messages_file, options.parse);
  const std::optional<bool> compiled = run_compiler(arguments, command.directory, messages.output(), deadline);
  std::vector<Diagnostic> diagnostics = messages.take(command.directory);
  if (!compiled)
    throw CommandFailure(ExitCode::postponed, ErrorCode::timed_out,
                         command.file + ": was not compiled in time; give it longer with --timeout");
  if (!*compiled)
    throw CommandFailure(ExitCode::usage, ErrorCode::invalid_argument,
                         command.file + ": does not compile with the flags of the program's build; correct it" +
                             (options.verbose ? "" : ", or see the command with -v"),
                         std::move(diagnostics));
}

bool is_clang(const CompileCommand& command) {
  return base_name(flags_for_update(command).compiler).find("clang") != std::string::npos;
}

std::vector<std::string> with(std::vector<std::string> arguments, std::initializer_list<std::string> more) {
  arguments.insert(arguments.end(), more);
  return arguments;
}

}  // namespace

bool is_written_since(const CompileCommand& command, const fs::path& program, RecordedDependencies& recorded,
                      const fs::path& scratch, const FreshObjectOptions& options, Deadline deadline) {
  if (!changed_since(program, {command.file}, command.directory).empty()) return true;
  if (const auto files = recorded.of(command)) return !changed_since(program, *files, command.directory).empty();
  const fs::path rule = scratch / "rule";
  run(command, with(arguments_for_object(command), {"-M", "-MF", rule.string()}), scratch / "messages", options,
      deadline);
  return !changed_since(program, rule, command.directory, {}).empty();
}

bool has_stale_precompiled_header(const CompileCommand& command, RecordedDependencies& recorded) {
  const fs::path precompiled = precompiled_header_of(command);
  if (precompiled.empty()) return false;
  const std::optional<std::vector<std::string>> files = recorded.of(command);
  if (!files) return true;
  std::vector<std::string> headers = *files;
  std::erase_if(headers, [&](const std::string& each) {
    return resolved(each, command.directory) == resolved(command.file, command.directory);
  });
  return !changed_since(precompiled, headers, command.directory).empty();
}

void compile_fresh_object(const CompileCommand& command, const fs::path& object, RecordedDependencies& recorded,
                          const FreshObjectOptions& options, Deadline deadline) {
  if (is_for_link_time_optimisation(command))
    throw CommandFailure(ExitCode::refused, ErrorCode::unsupported,
                         command.file +
                             ": is compiled with -flto, and its functions get their code only when the program is "
                             "linked; build the program without it");
  std::vector<std::string> arguments = arguments_for_object(command);
  if (has_stale_precompiled_header(command, recorded))
    arguments = without_precompiled_header(arguments, command, object.parent_path());
  run(command, with(arguments, {"-ffunction-sections", "-fdata-sections", "-c", "-o", object.string()}),
      object.parent_path() / "messages", options, deadline);
}

void preprocess(const CompileCommand& command, const fs::path& first, const fs::path& output,
                const FreshObjectOptions& options, Deadline deadline) {
  const std::vector<std::string> arguments =
      without_precompiled_header(arguments_for_object(command), command, output.parent_path());
  run(command, with(arguments, {"-include", first.string(), "-E", "-o", output.string()}),
      output.parent_path() / "messages", options, deadline);
}

void compile_preprocessed(const CompileCommand& command, const fs::path& text, const fs::path& object,
                          const FreshObjectOptions& options, Deadline deadline) {
  const std::vector<std::string> all =
      without_precompiled_header(arguments_for_object(command), command, object.parent_path());
  std::vector<std::string> arguments;
  for (std::size_t each = 0; each < all.size(); ++each) {
    const bool has_value = all[each] == "-include" || all[each] == "-imacros" || all[each] == "-x";
    if (has_value)
      ++each;
    else if (resolved(all[each], command.directory) != resolved(command.file, command.directory))
      arguments.push_back(all[each]);
  }
  if (is_clang(command))
    arguments.insert(arguments.end(), {"-Xclang", "-fno-access-control", "-Qunused-arguments"});
  else
    arguments.emplace_back("-fno-access-control");
  run(command,
      with(arguments, {"-w", "-ffunction-sections", "-fdata-sections", "-x", "c++-cpp-output", "-c", text.string(),
                       "-o", object.string()}),
      object.parent_path() / "messages", options, deadline);
}

}  // namespace moult::internal::cli
