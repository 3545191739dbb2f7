// The source files of a program, by its debug information.
#pragma once

#include <set>
#include <string>

namespace moult::internal::cli {

/// Each file has its absolute path with symbolic links resolved, and its relative name if the compiler was given one: a
/// compiler cache (ccache) may return the result for the same name in another folder.
struct ProgramSources {
  std::set<std::string> main;     ///< the file with main; empty when unknown
  std::set<std::string> files;    ///< of each compilation unit; empty without debug information
  std::set<std::string> folders;  ///< the compiler's working directories
};

/// Of an executable, or of its separate debug file. `file` leads to the one that runs, and `program` is its path,
/// beside which a debug file may lie. Parts that cannot be read are empty; never throws Error.
ProgramSources sources_of_program(const std::string& file, const std::string& program);

/// `path`, relative to `folder` if it is relative, in ProgramSources' form.
std::string resolved(const std::string& path, const std::string& folder);

}  // namespace moult::internal::cli
