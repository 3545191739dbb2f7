// The files that a program was compiled from, headers included, by its debug information.
#pragma once

#include <filesystem>
#include <set>

#include "source_comparison.hpp"

namespace moult::internal::cli {

/// Absolute paths, without those of the system below /usr. Throws Error (unreadable).
std::set<std::filesystem::path> source_files_of(const ProgramBuild& build);

}  // namespace moult::internal::cli
