// What a module has from others.
#pragma once

#include <string>
#include <vector>

#include "elf/elf_file.hpp"

namespace moult::internal {

/// The mangled names of what the dynamic linker binds for the file: those it uses and does not define.
std::vector<std::string> imports_of(const ElfFile& file);

}  // namespace moult::internal
