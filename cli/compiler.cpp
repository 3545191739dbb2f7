// The update is compiled as one file of the program. It gets the flags of the program's own main file, position
// independence, and debug information about all classes it knows, for comparison with the program's. GNU unique symbols
// are off: they would bind a static variable of an inline function to the program's for good. Nothing is hidden without
// an attribute, so that the loader can make the update's variables one with those that the program hides. The build id
// of the running program, not of its file, goes into a note: if the program was rebuilt since, the update must be
// refused. A second note gets the checksum of the linked file, so that the program notices damage on the way.
//
// The result runs as the program's user, and the compilation database names a command that runs as this user. So the
// database must belong to this user or root and be writable by no others, as a shared object must for the program.
// Limit: headers, and the folders above all these files, are not checked.
//
// A header that changed after the program was built may have other layouts than the program, and the update would
// misread objects. The compiler lists the headers, and their times decide.
//
// The compiler leaves out methods that are defined inside of their class and that the update itself does not call. If a
// redefined class needs such methods, the update is compiled a second time, with every inline function kept: slower,
// larger, and possibly using functions that the program does not export, so not done for other updates. g++ has a flag
// for that. clang stops before it optimises, and goes on with what kept_functions.cpp makes of its work.
#include "compiler.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <vector>

#include "base/trusted_file.hpp"
#include "changed_headers.hpp"
#include "compilation_database.hpp"
#include "compiler_run.hpp"
#include "console.hpp"
#include "diagnostics.hpp"
#include "elf/elf_file.hpp"
#include "elf/update_notes.hpp"
#include "failure.hpp"
#include "kept_functions.hpp"
#include "left_out_methods.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void usage(ErrorCode code, const std::string& message) {
  throw CommandFailure(ExitCode::usage, code, message);
}

CompileCommand command_for(const Target& target, const std::string& source, const CompileOptions& options) {
  const fs::path database = find_compilation_database(options.build_dir, target.program, source);
  const std::vector<CompileCommand> commands = read_compilation_database(database);
  const CompileCommand* const chosen =
      choose_command(commands, target.program, sources_of_program(target.running_file(), target.program));
  if (chosen == nullptr)
    usage(ErrorCode::not_found,
          database.string() + ": none of its entries is known to belong to " + target.program +
              (options.build_dir.empty() ? "; name the build folder of that program with --build-dir"
                                         : "; --build-dir wants the folder that program was built in, and the program "
                                           "debug information (-g) if its build is not CMake's"));
  return *chosen;
}

/// The writer of the source or of the flags decides what runs.
CompileCommand trusted_command_for(const Target& target, const std::string& source, const CompileOptions& options) {
  try {
    open_trusted(source, "a C++ source");
    return command_for(target, source, options);
  } catch (const Error& error) {
    const bool is_denied = error.code() == ErrorCode::permission_denied;
    throw CommandFailure(is_denied ? ExitCode::refused : ExitCode::usage, error.code(), error.what());
  }
}

bool is_clang(const CompilerCall& call) { return base_name(call.compiler).find("clang") != std::string::npos; }

/// The compiler with the program's flags, and those that decide the update's code.
std::vector<std::string> code_arguments(const CompilerCall& call) {
  std::vector<std::string> arguments{call.compiler};
  arguments.insert(arguments.end(), call.flags.begin(), call.flags.end());
  for (const char* flag : {"-fPIC", "-g", "-fvisibility=default", "-fno-visibility-inlines-hidden"})
    arguments.emplace_back(flag);
  if (is_clang(call))
    arguments.emplace_back("-fstandalone-debug");
  else
    arguments.insert(arguments.end(), {"-fno-gnu-unique", "-femit-class-debug-always"});
  return arguments;
}

/// What one compilation reads and writes.
struct UpdateFiles {
  std::string source;
  fs::path notes;
  fs::path rule;    ///< of the headers
  fs::path result;  ///< the shared object
};

std::vector<std::string> arguments_for(const CompilerCall& call, const UpdateFiles& files, const fs::path& output,
                                       std::initializer_list<const char*> more) {
  std::vector<std::string> arguments = code_arguments(call);
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.push_back("-I" + include_folder().string());
  arguments.insert(arguments.end(), {"-include", files.notes.string()});
  arguments.insert(arguments.end(), {"-MD", "-MT", "update", "-MF", files.rule.string()});
  arguments.insert(arguments.end(), {files.source, "-o", output.string()});
  return arguments;
}

/// The second half of a compilation by clang. The flags for the first half have no effect.
std::vector<std::string> arguments_for_rest(const CompilerCall& call, const fs::path& assembly,
                                            const fs::path& output) {
  std::vector<std::string> arguments = code_arguments(call);
  arguments.insert(arguments.end(), {"-Wno-unused-command-line-argument", "-shared", "-x", "ir", assembly.string()});
  arguments.insert(arguments.end(), {"-o", output.string()});
  return arguments;
}

void keep_functions_of(const fs::path& assembly) {
  std::ifstream stream(assembly, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  std::ofstream changed(assembly, std::ios::binary);
  changed << with_functions_kept(text) << std::flush;
  if (!stream || !changed) usage(ErrorCode::system, assembly.string() + ": cannot be changed");
}

/// `run` runs the compiler.
template <class Run>
void compile_with_functions_kept(const CompilerCall& call, const UpdateFiles& files, Run&& run) {
  if (!is_clang(call)) return run(arguments_for(call, files, files.result, {"-shared", "-fkeep-inline-functions"}));
  const fs::path assembly = files.result.string() + ".ll";
  run(arguments_for(call, files, assembly,
                    {"-S", "-emit-llvm", "-femit-all-decls", "-Xclang", "-disable-llvm-passes"}));
  keep_functions_of(assembly);
  run(arguments_for_rest(call, assembly, files.result));
}

fs::path write_notes(const Target& target, const fs::path& folder) {
  const std::string build_id = build_id_of(target.running_file());
  if (build_id.empty())
    complain("warning: " + target.describe() +
             " has no build id, so nothing ties the update to it; link it with -Wl,--build-id");
  fs::path notes = folder / "update_notes.hpp";
  const std::string assembly = (build_id.empty() ? std::string() : target_note(build_id)) + checksum_note();
  std::ofstream(notes) << "asm(R\"(\n" << assembly << ")\");\n";
  return notes;
}

void require_same_headers(const Target& target, const std::string& source, const std::vector<std::string>& changed,
                          bool force) {
  if (changed.empty()) return;
  const std::string what = source + ": includes " + join(changed) + ", written after the program that runs as " +
                           target.describe() + " was built: classes may be laid out otherwise there";
  if (!force)
    throw CommandFailure(ExitCode::refused, ErrorCode::layout_mismatch,
                         what + "; compile against the headers it was built from, or use --force if they are the same");
  complain("warning: " + what);
}

}  // namespace

fs::path include_folder() {
  std::error_code ignored;
  const fs::path installed = fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path() / "include";
  return fs::exists(installed / "moult/moult.hpp", ignored) ? installed : fs::path(MOULT_SOURCE_INCLUDE);
}

bool is_source(const std::string& file) {
  constexpr std::array<std::string_view, 5> endings{".cpp", ".cc", ".cxx", ".C", ".c++"};
  return std::ranges::any_of(endings, [&](std::string_view ending) { return file.ends_with(ending); });
}

std::string note(const std::string& kind, int type, std::size_t size, const std::string& content) {
  return ".pushsection .note.moult." + kind + ",\"a\",@note\n.balign 4\n.long 6, " + std::to_string(size) + ", " +
         std::to_string(type) + "\n.asciz \"moult\"\n.balign 4\n" + content + "\n.balign 4\n.popsection\n";
}

std::string target_note(const std::string& hex) {
  std::string bytes = ".byte ";
  for (std::size_t each = 0; each + 1 < hex.size(); each += 2)
    bytes += (each == 0 ? "0x" : ", 0x") + hex.substr(each, 2);
  return note("target", 2, hex.size() / 2, bytes);
}

std::string checksum_note() { return note("checksum", 3, 12, ".zero 12"); }

void compile_update(const Target& target, const std::string& source, const fs::path& output,
                    const CompileOptions& options, Deadline deadline) {
  const CompileCommand command = trusted_command_for(target, source, options);
  const ScratchFolder scratch;
  const CompilerCall call = flags_for_update(command);
  const UpdateFiles files{fs::absolute(source).string(), write_notes(target, scratch.path()), scratch.path() / "rule",
                          scratch.path() / output.filename()};
  const auto run = [&](std::vector<std::string> arguments) {
    if (options.parse) arguments.emplace_back("-fdiagnostics-color=never");
    if (options.verbose) complain("in " + command.directory + ": " + join(arguments, " "));
    const CompilerMessages messages(scratch.path() / "messages", options.parse);
    const std::optional<bool> compiled = run_compiler(arguments, command.directory, messages.output(), deadline);
    std::vector<Diagnostic> diagnostics = messages.take(command.directory);
    if (!compiled)
      throw CommandFailure(ExitCode::postponed, ErrorCode::timed_out,
                           source + ": was not compiled in time, and nothing was sent to " + target.describe() +
                               "; give it longer with --timeout");
    if (!*compiled)
      throw CommandFailure(ExitCode::usage, ErrorCode::invalid_argument,
                           source + ": does not compile with the flags of " + command.file +
                               (options.verbose ? "" : "; -v shows the command"),
                           std::move(diagnostics));
  };
  run(arguments_for(call, files, files.result, {"-shared"}));
  if (lacks_methods(files.result.string())) compile_with_functions_kept(call, files, run);
  require_same_headers(target, source,
                       changed_since(target.running_file(), files.rule, command.directory, {files.source, files.notes}),
                       options.force);
  write_checksum(files.result.string());
  std::error_code error;
  fs::copy_file(files.result, output, fs::copy_options::overwrite_existing, error);
  if (error) usage(ErrorCode::system, output.string() + ": cannot be written: " + error.message());
}

}  // namespace moult::internal::cli
