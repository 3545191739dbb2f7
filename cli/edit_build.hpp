// Builds an update from the edited sources of a program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "source_comparison.hpp"

namespace moult::internal::cli {

struct BuiltEdit {
  std::vector<std::string> functions;  ///< that get a new version, demangled
  std::vector<std::string> sources;    ///< that have them
  std::vector<std::string> notes;      ///< what the edits do not do to a running program
};

/// Writes the update to `output`: for every process of this build of the program, wherever it is loaded. Throws
/// CommandFailure, as ProgramBuild and SourceComparison do, and:
/// usage: no source was edited, or the edits change no code
/// refused: an edit cannot be applied to a running program; the message has a line for each reason
void build_edit(const ComparisonOptions& options, const std::filesystem::path& output, Deadline deadline,
                BuiltEdit& built);

}  // namespace moult::internal::cli
