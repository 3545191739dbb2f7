// Compiles a source of a program again, as the program's build does, to an object that can be compared with the
// program.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "compilation_database.hpp"
#include "protocol/client.hpp"
#include "recorded_dependencies.hpp"

namespace moult::internal::cli {

class PatchedTree;

/// How to run the compiler.
struct FreshObjectOptions {
  bool verbose = false;  ///< show the compiler's command
  bool parse = false;    ///< CommandFailure has the compiler's messages as values
  /// Compile what a patch makes of the sources, without precompiled headers; null: the sources.
  PatchedTree* view = nullptr;
};

/// True if a header was written after the precompiled header that the command uses, or may have been: the compiler
/// would not see it.
bool has_stale_precompiled_header(const CompileCommand& command, RecordedDependencies& recorded);

/// The command's source and its headers, as written, relative to the command's folder. If the build has no record of
/// them, the compiler lists them. `scratch` is a folder to write to. Throws CommandFailure, as compile_fresh_object
/// does.
std::vector<std::string> files_of(const CompileCommand& command, RecordedDependencies& recorded,
                                  const std::filesystem::path& scratch, const FreshObjectOptions& options,
                                  Deadline deadline);

/// Compiles to `object`, in a folder of its own, with the command's flags, and with each function and variable in a
/// section of its own. A stale precompiled header is left aside. The compiler's messages go to standard error
/// unchanged. Throws CommandFailure: usage: it does not compile, or the compiler cannot be run refused: the program is
/// built with link-time optimisation postponed: the compiler had not ended by `deadline`, and was ended. In a view it
/// throws as PatchedTree does, too.
void compile_fresh_object(const CompileCommand& command, const std::filesystem::path& object,
                          RecordedDependencies& recorded, const FreshObjectOptions& options, Deadline deadline);

/// The source's text after the preprocessor, with moult's headers `first` included before all others, for
/// compile_preprocessed. Written to `output`. Throws CommandFailure, as compile_fresh_object does.
void preprocess(const CompileCommand& command, const std::vector<std::string>& first,
                const std::filesystem::path& output, const FreshObjectOptions& options, Deadline deadline);

/// compile_fresh_object of such a text. In it, everything may use what is private, and nothing is warned of.
void compile_preprocessed(const CompileCommand& command, const std::filesystem::path& text,
                          const std::filesystem::path& object, const FreshObjectOptions& options, Deadline deadline);

/// compile_fresh_object of the command's source, changed by `change`, which gets its text with all included files in it
/// and the lines of each marked as preprocessors do. Macros are not expanded yet. Nothing is shown. False if it does
/// not compile. Throws CommandFailure, as compile_fresh_object does, but for that.
bool compile_changed(const CompileCommand& command, const std::function<std::string(const std::string&)>& change,
                     const std::filesystem::path& object, const FreshObjectOptions& options, Deadline deadline);

}  // namespace moult::internal::cli
