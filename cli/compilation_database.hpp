// compile_commands.json: how a program's files are compiled.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "program_sources.hpp"

namespace moult::internal::cli {

struct CompileCommand {
  std::string directory;  ///< the command's working directory
  std::string file;       ///< absolute
  std::string output;     ///< as written; may be empty
  std::vector<std::string> arguments;
};

/// Splits a command as a shell does: quotes and backslashes, nothing else.
std::vector<std::string> split_command(std::string_view command);

/// `name` is the file's, for messages. Throws Error: unreadable (not JSON, not a compilation database).
std::vector<CompileCommand> parse_compilation_database(std::istream& text, const std::string& name);

/// Throws Error: unreadable (no such file, not JSON, not a compilation database), permission_denied (another user may
/// have written it, and it names a command that will run as this user).
std::vector<CompileCommand> read_compilation_database(const std::filesystem::path& file);

/// `wanted`, a folder or the file itself, if given. Otherwise the first one found upwards from the program's folder,
/// then from the update's (which may be the program). Throws CommandFailure (usage), naming the places.
std::filesystem::path find_compilation_database(const std::string& wanted, const std::string& program,
                                                const std::string& update);

/// The command of the program's main file; of several, the one compiled for the program of that name. Otherwise the
/// command of another of its sources, compiled for the program of that name. Without debug information the name alone
/// decides. Null when no entry is known to belong to the program: with the flags of another program the update would
/// have other layouts.
const CompileCommand* choose_command(const std::vector<CompileCommand>& commands, const std::string& program,
                                     const ProgramSources& sources);

/// The commands of the program's sources, one for each, in the database's order. Of several for one source, the one
/// that choose_command would prefer.
std::vector<const CompileCommand*> commands_of_program(const std::vector<CompileCommand>& commands,
                                                       const std::string& program, const ProgramSources& sources);

/// The compiler call of an update, or of an object.
struct CompilerCall {
  std::string compiler;
  std::vector<std::string> flags;
};
/// Keeps the flags that determine the code (include folders, definitions, standard, -f, -m, -O). Drops the ones that
/// belong to that one compilation or would do harm: input, output, dependency files, warnings, link-time optimisation,
/// and the program's kind of position independence.
CompilerCall flags_for_update(const CompileCommand& command);
/// Keeps everything that may have an effect on the object's code, the source and a compiler cache included. Drops only
/// where the results go.
std::vector<std::string> arguments_for_object(const CompileCommand& command);
/// The precompiled header that the command uses, if its file exists: what -include (g++) or -include-pch (clang) leads
/// to. Empty if there is none.
std::filesystem::path precompiled_header_of(const CompileCommand& command);
/// The arguments, changed so that the compiler reads the header itself, or a copy of it that this makes in `folder`.
std::vector<std::string> without_precompiled_header(const std::vector<std::string>& arguments,
                                                    const CompileCommand& command, const std::filesystem::path& folder);
/// The dependency file (-MF) that the command writes, as it names it; empty if it names none.
std::string named_dependency_file(const CompileCommand& command);
/// The object that the command makes, as it names it.
std::string object_of(const CompileCommand& command);
/// True when the object holds no machine code yet (-flto).
bool is_for_link_time_optimisation(const CompileCommand& command);

}  // namespace moult::internal::cli
