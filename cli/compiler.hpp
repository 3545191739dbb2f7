// Compiles an update's source to a shared object for the running program.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "scratch_folder.hpp"
#include "target.hpp"

namespace moult::internal::cli {

struct CompileOptions {
  std::string build_dir;  ///< of compile_commands.json; empty: search for it
  bool verbose = false;   ///< show the compiler's command
  bool force = false;     ///< go on although a header changed after the program was built
  bool parse = false;     ///< CommandFailure has the compiler's messages as values
};

/// True for the file name of a C++ source.
bool is_source(const std::string& file);

/// The folder of moult/moult.hpp: beside an installed command, or in the source tree that the command was built from.
std::filesystem::path include_folder();

/// Assembly of a note of moult's: `content` has `size` bytes (elf/update_notes.hpp).
std::string note(const std::string& kind, int type, std::size_t size, const std::string& content);
/// Assembly of the note that ties an update to the program with build id `hex`.
std::string target_note(const std::string& hex);
/// Assembly of the note that the checksum is written into after the link.
std::string checksum_note();

/// Compiles `source` with the program's own flags into `output`, with notes of the running program's build id and of
/// the file's checksum. The compiler's messages go to standard error unchanged. Throws CommandFailure:
/// usage: it does not compile
/// refused: another user may have written the source or the compilation database, or a header changed since the program
///   was built
/// postponed: the compiler did not end by `deadline`, and was ended
void compile_update(const Target& target, const std::string& source, const std::filesystem::path& output,
                    const CompileOptions& options, Deadline deadline);

}  // namespace moult::internal::cli
