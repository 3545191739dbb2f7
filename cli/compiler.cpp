// The update is compiled as one file of the program: the flags of the program's own main file, position independent,
// with debug information, and without GNU unique symbols, which would bind a static variable of an inline function to
// the program's for good. The build id of the running program, not of the file it was started from, goes into a note:
// the program may have been rebuilt since, and then the update must be refused.
#include "compiler.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "compilation_database.hpp"
#include "console.hpp"
#include "symbols/program.hpp"
#include "trouble.hpp"

namespace moult::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void usage(ErrorCode code, const std::string& message) { throw Trouble(ExitCode::usage, code, message); }

fs::path cache_folder() {
  const char* const xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg != nullptr && *xdg == '/') return fs::path(xdg) / "moult";
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fs::path(home) / ".cache/moult";
  return fs::temp_directory_path();
}

/// The file in which the program's main is; empty when it has no debug information.
std::string main_file_of(const Target& target) {
  try {
    const symbols::Program program = symbols::Program::of_file(target.running_file());
    for (const symbols::FunctionSymbol& function : program.find("main"))
      if (const std::optional<symbols::SourceLine> line = program.line_of(function.range.begin)) return line->file;
  } catch (const Error&) {
    // Without it the database's entry is chosen by its name.
  }
  return {};
}

CompileCommand command_for(const Target& target, const std::string& source, const CompileOptions& options) {
  const fs::path database = find_compilation_database(options.build_dir, target.program, source);
  const std::vector<CompileCommand> commands = read_compilation_database(database);
  const CompileCommand* const chosen = choose_command(commands, target.program, main_file_of(target));
  if (chosen == nullptr)
    usage(ErrorCode::not_found, database.string() + ": none of its entries is a file of " + target.program +
                                    "; name the build folder of that program with --build-dir");
  return *chosen;
}

/// Where moult/moult.hpp is: beside an installed command, or in the source tree the command was built from.
fs::path include_folder() {
  std::error_code ignored;
  const fs::path installed = fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path() / "include";
  return fs::exists(installed / "moult/moult.hpp", ignored) ? installed : fs::path(MOULT_SOURCE_INCLUDE);
}

std::vector<std::string> arguments_for(const CompilerCall& call, const std::string& source, const fs::path& note,
                                       const fs::path& output) {
  std::vector<std::string> arguments{call.compiler};
  arguments.insert(arguments.end(), call.flags.begin(), call.flags.end());
  const bool is_clang = base_name(call.compiler).find("clang") != std::string::npos;
  for (const char* flag : {"-fPIC", "-shared", "-g"}) arguments.emplace_back(flag);
  if (!is_clang) arguments.emplace_back("-fno-gnu-unique");
  arguments.push_back("-I" + include_folder().string());
  if (!note.empty()) arguments.insert(arguments.end(), {"-include", note.string()});
  arguments.insert(arguments.end(), {source, "-o", output.string()});
  return arguments;
}

/// Runs the compiler in `directory`, its output on standard error. True when it succeeded.
bool run(const std::vector<std::string>& arguments, const std::string& directory) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, pointers.front(), &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    usage(ErrorCode::system,
          arguments.front() + ": the program's compiler cannot be run in " + directory + ": " + std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

fs::path write_note(const Target& target, const fs::path& folder) {
  const std::string build_id = symbols::build_id_of(target.running_file());
  if (build_id.empty()) {
    complain("warning: " + target.describe() +
             " has no build id, so nothing ties the update to it; link it with -Wl,--build-id");
    return {};
  }
  const fs::path note = folder / "target_note.hpp";
  std::ofstream(note) << target_note(build_id);
  return note;
}

}  // namespace

ScratchFolder::ScratchFolder() {
  fs::path parent = cache_folder();
  std::error_code error;
  fs::create_directories(parent, error);
  if (::access(parent.c_str(), W_OK) != 0) parent = fs::temp_directory_path();
  std::string pattern = (parent / "update-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    usage(ErrorCode::system, pattern + ": cannot be made: " + std::strerror(errno) + "; set XDG_CACHE_HOME");
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

bool is_source(const std::string& file) {
  constexpr std::array<std::string_view, 5> endings{".cpp", ".cc", ".cxx", ".C", ".c++"};
  return std::ranges::any_of(endings, [&](std::string_view ending) { return file.ends_with(ending); });
}

std::string target_note(const std::string& hex) {
  std::string bytes;
  for (std::size_t each = 0; each + 1 < hex.size(); each += 2)
    bytes += (each == 0 ? "0x" : ", 0x") + hex.substr(each, 2);
  return "asm(\".pushsection .note.moult.target,\\\"a\\\",@note\\n\"\n"
         "    \".balign 4\\n\"\n"
         "    \".long 6, " +
         std::to_string(hex.size() / 2) +
         ", 2\\n\"\n"
         "    \".asciz \\\"moult\\\"\\n\"\n"
         "    \".balign 4\\n\"\n"
         "    \".byte " +
         bytes +
         "\\n\"\n"
         "    \".balign 4\\n\"\n"
         "    \".popsection\\n\");\n";
}

void compile_update(const Target& target, const std::string& source, const fs::path& output,
                    const CompileOptions& options) {
  const CompileCommand command = command_for(target, source, options);
  const ScratchFolder scratch;
  const fs::path note = write_note(target, scratch.path());
  const fs::path result = scratch.path() / output.filename();
  const std::vector<std::string> arguments =
      arguments_for(flags_for_update(command), fs::absolute(source).string(), note, result);
  if (options.verbose) complain("in " + command.directory + ": " + join(arguments, " "));
  if (!run(arguments, command.directory))
    usage(ErrorCode::invalid_argument, source + ": does not compile with the flags of " + command.file +
                                           (options.verbose ? "" : "; -v shows the command"));
  std::error_code error;
  fs::copy_file(result, output, fs::copy_options::overwrite_existing, error);
  if (error) usage(ErrorCode::system, output.string() + ": cannot be written: " + error.message());
}

}  // namespace moult::cli
