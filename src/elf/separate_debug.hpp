// Where distributions put the symbols and the debug information they strip from programs.
#pragma once

#include <filesystem>
#include <optional>

#include "elf/elf_file.hpp"

namespace moult::internal {

/// The debug file of `program`: .build-id/xx/yyyy.debug under `debug_root` by its build id, or what its .gnu_debuglink
/// section names, beside it, in .debug/ or under `debug_root`. Only a file with the same build id (or, when the program
/// has none, the checksum in .gnu_debuglink) will do. Nothing when there is none.
std::optional<ElfFile> find_separate_debug(const ElfFile& program,
                                           const std::filesystem::path& debug_root = "/usr/lib/debug");

}  // namespace moult::internal
