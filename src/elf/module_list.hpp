// Which files a process has loaded, and where.
#pragma once

#include <string>
#include <vector>

#include "elf/module.hpp"

namespace moult::internal {

/// A loaded file, before it is opened.
struct ModulePlace {
  Module module;
  std::string open_path;        ///< reaches the file that was loaded even where module.path now names another one
  std::string loaded_build_id;  ///< as it stands in memory, in hex; empty when that is not known
  std::vector<char> image;      ///< of the vdso, which is no file
};

std::vector<ModulePlace> modules_of_this_process();
/// Throws Error: not_found (no such process), unreadable (another user's).
std::vector<ModulePlace> modules_of_process(int pid);

}  // namespace moult::internal
