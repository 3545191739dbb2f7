// Separate debug files: distributions strip symbols and debug information from programs and install them elsewhere.
#pragma once

#include <filesystem>
#include <optional>

#include "elf/elf_file.hpp"

namespace moult::internal {

/// The debug file of `program`. It is .build-id/xx/yyyy.debug under `debug_root`, by the build id, or the file named in
/// the .gnu_debuglink section, beside the program, in .debug/ or under `debug_root`. It must have the same build id; if
/// the program has none, the checksum in .gnu_debuglink. Nothing if there is none.
std::optional<ElfFile> find_separate_debug(const ElfFile& program,
                                           const std::filesystem::path& debug_root = "/usr/lib/debug");

}  // namespace moult::internal
