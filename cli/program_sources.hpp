// Which sources a program was made of, by its debug information.
#pragma once

#include <set>
#include <string>

namespace moult::internal::cli {

/// Each file is there by its path, absolute and with symbolic links resolved, and by its name as the compiler was given
/// it where that is relative: a compiler's cache (ccache) may serve what was compiled for the same name in another
/// folder.
struct ProgramSources {
  std::set<std::string> main;     ///< the file in which main is; empty when it is not known
  std::set<std::string> files;    ///< of each compilation unit; empty without debug information
  std::set<std::string> folders;  ///< in which the compiler ran
};

/// Of the executable at `program`, or of its separate debug file. What cannot be read is left empty; never throws
/// Error.
ProgramSources sources_of_program(const std::string& program);

/// `path`, seen from `folder` when it is relative, in the form that ProgramSources has.
std::string resolved(const std::string& path, const std::string& folder);

}  // namespace moult::internal::cli
