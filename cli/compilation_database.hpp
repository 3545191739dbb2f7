// compile_commands.json: how a program's own files are compiled.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "program_sources.hpp"

namespace moult::internal::cli {

struct CompileCommand {
  std::string directory;  ///< where it is run
  std::string file;       ///< absolute
  std::string output;     ///< as it says; may be empty
  std::vector<std::string> arguments;
};

/// Splits a command as a shell does: quotes and backslashes, nothing else.
std::vector<std::string> split_command(std::string_view command);

/// Throws Error: unreadable (no such file, not JSON, not a compilation database), permission_denied (somebody else may
/// have written it: it names what will run as this user).
std::vector<CompileCommand> read_compilation_database(const std::filesystem::path& file);

/// `wanted` (a folder or the file itself) when it is given; otherwise the first one found from the program's folder
/// upwards, and then from the update's. Throws CommandFailure (usage), naming the places.
std::filesystem::path find_compilation_database(const std::string& wanted, const std::string& program,
                                                const std::string& update);

/// The command of the program's own file: the one with main, of several the one that was compiled for the program of
/// that name; else another of its sources that was compiled for the program of that name. Without debug information
/// that name alone decides. Null when no entry is known to belong to the program: the flags of another would compile an
/// update that knows other layouts.
const CompileCommand* choose_command(const std::vector<CompileCommand>& commands, const std::string& program,
                                     const ProgramSources& sources);

/// What an update is compiled with.
struct CompilerCall {
  std::string compiler;
  std::vector<std::string> flags;
};
/// Keeps what decides how the program's code looks (include folders, definitions, standard, -f, -m, -O) and leaves out
/// what is of that one compilation or would harm: input, output, dependency files, warnings, link-time optimisation and
/// the program's kind of position independence.
CompilerCall flags_for_update(const CompileCommand& command);

}  // namespace moult::internal::cli
