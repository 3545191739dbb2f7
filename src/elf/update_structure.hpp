// The structure of an update's file: headers, segments, sections, names, symbols and the dynamic linker's tables.
#pragma once

#include <elf.h>

#include <cstdint>
#include <string>
#include <vector>

#include "elf/file_bytes.hpp"

namespace moult::internal {

/// The largest file that is taken for an update, 1 GiB. docs/limits.md states it.
constexpr std::uint64_t largest_update = std::uint64_t{1} << 30;

struct UpdateStructure {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  std::vector<Elf64_Shdr> sections;
  std::vector<std::string> section_names;  ///< one for each section
  bool has_entry = false;                  ///< exports moult_update_entry
};

/// Looks at the size and the first 64 bytes alone. Throws Error, naming the file:
/// unreadable: it is empty or shorter than a header
/// not_an_update: it is no 64-bit x86-64 shared object
/// unsupported: it is larger than largest_update
Elf64_Ehdr require_update_header(const FileBytes& file);

/// Everything that the dynamic linker, libelf or moult would follow into the file or the program's memory is compared
/// with the file's size and with the segments that will be loaded. Throws Error as require_update_header does, and:
/// unreadable: a part lies beyond the end of the file
/// not_an_update: parts contradict each other, or it is a program
UpdateStructure require_update_structure(const FileBytes& file);

[[noreturn]] void throw_not_an_update(const std::string& path, const std::string& why);
/// not_an_update: the file is damaged. `what` says where.
[[noreturn]] void throw_damaged(const std::string& path, const std::string& what);

}  // namespace moult::internal
