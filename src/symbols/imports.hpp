// What a module has from others.
#pragma once

#include <string>
#include <vector>

#include "symbols/elf_file.hpp"

namespace moult::symbols {

/// The mangled names of what the dynamic linker binds for the file: those it uses and does not define.
std::vector<std::string> imports_of(const ElfFile& file);

}  // namespace moult::symbols
