// The files that a process has loaded, and where.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

struct Module {
  std::string path;         ///< the path in the file system; "[vdso]" for the vdso
  std::uintptr_t bias = 0;  ///< run-time address minus address in the file
  CodeRange text;           ///< from the first to the last loaded byte
  std::string problem;      ///< why its functions are unknown, after a look-up has failed; mostly empty
};

/// A loaded file, before it is opened.
struct ModulePlace {
  Module module;
  std::string open_path;        ///< leads to the loaded file even if module.path now names another one
  std::string loaded_build_id;  ///< the build id in memory, in hex; empty if it is not known
  std::vector<char> image;      ///< the image of the vdso, which is no file
};

std::vector<ModulePlace> modules_of_this_process();
/// Throws Error: not_found (no such process), unreadable (another user's process).
std::vector<ModulePlace> modules_of_process(int pid);

/// A number that changes whenever a module is loaded or unloaded. Any thread; takes the loader's lock.
std::uint64_t module_generation();

}  // namespace moult::internal
