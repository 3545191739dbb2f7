// Which files a process has loaded, and where.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

struct Module {
  std::string path;         ///< as the file system knows it; "[vdso]" for the vdso
  std::uintptr_t bias = 0;  ///< run-time address less address in the file
  CodeRange text;           ///< from the first to the last loaded byte
  std::string problem;      ///< why nothing is known of its functions, once they were asked for; mostly empty
};

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

/// Changes whenever a module is loaded or unloaded. Any thread; takes the loader's lock.
std::uint64_t module_generation();

}  // namespace moult::internal
