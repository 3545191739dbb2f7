// Separate debug files: distributions strip symbols and debug information from programs and install them elsewhere. dwz
// moves what several files have in common to a supplementary file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "elf/elf_file.hpp"

namespace moult::internal {

/// The debug file of `program`. It is .build-id/xx/yyyy.debug under `debug_root`, by the build id, or the file named in
/// the .gnu_debuglink section, beside the program, in .debug/ or under `debug_root`. It must have the same build id; if
/// the program has none, the checksum in .gnu_debuglink. Nothing if there is none.
std::optional<ElfFile> find_separate_debug(const ElfFile& program,
                                           const std::filesystem::path& debug_root = "/usr/lib/debug");

/// A file with debug information that others refer to (dwz -m).
struct SupplementaryDebug {
  std::string name;             ///< as it is written in the file that needs it
  std::optional<ElfFile> file;  ///< nothing when none can be read
};

/// The supplementary file of `debug`, a file with debug information; nothing if it needs none. It is the file named in
/// the section .gnu_debugaltlink, seen from the folder of `debug`, or .build-id/xx/yyyy.debug under `debug_root`. It
/// must have the build id that `debug` names. One that is named in DWARF 5's own way (.debug_sup, dwz --dwarf-5) counts
/// as missing, since libdw does not follow references into it.
std::optional<SupplementaryDebug> find_supplementary_debug(const ElfFile& debug,
                                                           const std::filesystem::path& debug_root = "/usr/lib/debug");

}  // namespace moult::internal
