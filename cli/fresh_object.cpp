// The object must be what the build would make, so that a difference means an edit: the command is taken as it is, with
// its compiler cache. -ffunction-sections and -fdata-sections change no function's code, but keep the functions and
// variables apart, so that an edit of one does not move the others.
//
// Limits: with link-time optimisation there is no code to compare before the link.
#include "fresh_object.hpp"

#include <fstream>

#include "changed_headers.hpp"
#include "compiler.hpp"
#include "compiler_run.hpp"
#include "console.hpp"
#include "failure.hpp"
#include "file_content.hpp"
#include "patched_tree.hpp"
#include "process_state.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

/// The command as it is run: in the view of the sources, if there is one.
CompileCommand used(const CompileCommand& command, const FreshObjectOptions& options) {
  return options.view != nullptr ? options.view->in_view(command) : command;
}

/// `arguments` come with the places of results.
void run(const CompileCommand& command, std::vector<std::string> arguments, const fs::path& messages_file,
         const FreshObjectOptions& options, Deadline deadline) {
  if (options.parse) arguments.emplace_back("-fdiagnostics-color=never");
  const std::string private_root = options.view != nullptr ? options.view->root().string() : "";
  const std::string folder = private_root + command.directory;
  if (options.verbose) complain("in " + folder + ": " + join(arguments, " "));
  const CompilerMessages messages(messages_file, options.parse, private_root);
  const std::optional<bool> compiled = run_compiler(arguments, folder, messages.output(), deadline);
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

/// The arguments without the source, its language, and what is included before it.
std::vector<std::string> without_input(const CompileCommand& command, const fs::path& folder) {
  const std::vector<std::string> all = without_precompiled_header(arguments_for_object(command), command, folder);
  std::vector<std::string> arguments;
  for (std::size_t each = 0; each < all.size(); ++each) {
    const bool has_value = all[each] == "-include" || all[each] == "-imacros" || all[each] == "-x";
    if (has_value)
      ++each;
    else if (resolved(all[each], command.directory) != resolved(command.file, command.directory))
      arguments.push_back(all[each]);
  }
  return arguments;
}

std::vector<std::string> with(std::vector<std::string> arguments, std::initializer_list<std::string> more) {
  arguments.insert(arguments.end(), more);
  return arguments;
}

}  // namespace

std::vector<std::string> files_of(const CompileCommand& command, RecordedDependencies& recorded,
                                  const fs::path& scratch, const FreshObjectOptions& options, Deadline deadline) {
  if (auto files = recorded.of(command)) return *std::move(files);
  const fs::path rule = scratch / "rule";
  run(command, with(arguments_for_object(command), {"-M", "-MF", rule.string()}), scratch / "messages", options,
      deadline);
  return prerequisites_in(rule);
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
  const fs::path folder = object.parent_path();
  const fs::path rule = folder / "rule";
  const CompileCommand command_used = used(command, options);
  std::vector<std::string> arguments = arguments_for_object(command_used);
  if (options.view != nullptr || has_stale_precompiled_header(command, recorded))
    arguments = without_precompiled_header(arguments, command_used, folder);
  if (options.view != nullptr) arguments = with(std::move(arguments), {"-MD", "-MF", rule.string()});
  run(command, with(std::move(arguments), {"-ffunction-sections", "-fdata-sections", "-c", "-o", object.string()}),
      folder / "messages", options, deadline);
  if (options.view != nullptr) options.view->note_read(prerequisites_in(rule), command);
}

void preprocess(const CompileCommand& command, const std::vector<std::string>& first, const fs::path& output,
                const FreshObjectOptions& options, Deadline deadline) {
  const CompileCommand command_used = used(command, options);
  std::vector<std::string> arguments =
      without_precompiled_header(arguments_for_object(command_used), command_used, output.parent_path());
  arguments = with(std::move(arguments), {"-idirafter", include_folder().string()});
  for (const std::string& each : first)
    arguments = with(std::move(arguments), {"-include", (include_folder() / each).string()});
  run(command, with(std::move(arguments), {"-E", "-o", output.string()}), output.parent_path() / "messages", options,
      deadline);
  if (options.view == nullptr) return;
  std::string text = content_of(output);
  remove_all(text, options.view->root().native());  // the lines' markers name the tree's files
  std::ofstream(output, std::ios::binary) << text;
}

void compile_preprocessed(const CompileCommand& command, const fs::path& text, const fs::path& object,
                          const FreshObjectOptions& options, Deadline deadline) {
  const CompileCommand command_used = used(command, options);
  std::vector<std::string> arguments = without_input(command_used, object.parent_path());
  if (is_clang(command))
    arguments.insert(arguments.end(), {"-Xclang", "-fno-access-control", "-Qunused-arguments"});
  else
    arguments.emplace_back("-fno-access-control");
  run(command,
      with(arguments, {"-w", "-ffunction-sections", "-fdata-sections", "-x", "c++-cpp-output", "-c", text.string(),
                       "-o", object.string()}),
      object.parent_path() / "messages", options, deadline);
}

bool compile_changed(const CompileCommand& command, const std::function<std::string(const std::string&)>& change,
                     const fs::path& object, const FreshObjectOptions& options, Deadline deadline) {
  const CompileCommand command_used = used(command, options);
  const fs::path folder = object.parent_path();
  const fs::path text_folder = object.string() + ".text";
  fs::create_directory(text_folder);
  const fs::path text_file = text_folder / fs::path(command.file).filename();  // clang notes the name in the object
  const bool is_of_clang = is_clang(command);
  const auto is_done = [&](std::vector<std::string> arguments) {
    if (options.verbose) complain("in " + command_used.directory + ": " + join(arguments, " "));
    const CommandResult result = run_for_output(arguments, command_used.directory, folder / "output", deadline);
    if (result.is_in_time) return result.is_success;
    throw CommandFailure(ExitCode::postponed, ErrorCode::timed_out,
                         command.file + ": was not compiled in time; give it longer with --timeout");
  };
  const std::vector<std::string> whole =
      without_precompiled_header(arguments_for_object(command_used), command_used, folder);
  const std::string expand = is_of_clang ? "-frewrite-includes" : "-fdirectives-only";
  if (!is_done(with(whole, {"-w", "-E", expand, "-o", text_file.string()}))) return false;
  std::string text = content_of(text_file);
  if (options.view != nullptr) remove_all(text, options.view->root().native());
  std::ofstream(text_file, std::ios::binary) << change(text);
  std::vector<std::string> arguments = without_input(command_used, folder);
  if (!is_of_clang) arguments = with(arguments, {"-fpreprocessed", "-fdirectives-only"});
  return is_done(with(
      arguments, {"-w", "-ffunction-sections", "-fdata-sections", "-c", text_file.string(), "-o", object.string()}));
}

}  // namespace moult::internal::cli
