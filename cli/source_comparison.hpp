// The edited sources of a program, each compiled again and compared with the program's file (diff/).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "commands.hpp"
#include "compilation_database.hpp"
#include "diff/edit_plan.hpp"
#include "diff/file_comparison.hpp"
#include "diff/moved_lines.hpp"
#include "fresh_object.hpp"
#include "patched_tree.hpp"
#include "scratch_folder.hpp"
#include "source_patch.hpp"

namespace moult::internal::cli {

/// Which sources of which program are compared, and how.
struct ComparisonOptions {
  std::string program;
  std::string running_file{};          ///< leads to the program as it runs, if its file may be another by now
  std::vector<std::string> sources{};  ///< to compare; empty: all that are newer than the program
  bool with_edited = false;            ///< compare all that are newer than the program, too
  std::string patch{};                 ///< a file: compare what it makes of the sources, and no edits of them
  std::string build_dir{};             ///< of compile_commands.json; empty: search for it
  diff::EditChoices choices{};
  std::string after{};  ///< the update that the process has, from whose layouts of objects this one goes on
  FreshObjectOptions compiler{};
};

/// The sources of a program that was not built of them.
struct EditedTree {
  std::uint64_t time = 0;  ///< when the last one was written, in seconds since 1970
  std::size_t files = 0;   ///< that were written after the program, headers included
};

struct ComparedSource {
  const CompileCommand* command = nullptr;
  std::string shown;             ///< the source's name, with its path if the program has several of that name
  std::filesystem::path path{};  ///< of the object
  std::unique_ptr<ElfFile> file{};
  std::unique_ptr<diff::ObjectFile> object{};
  diff::FileComparison comparison{};
};

/// The compile commands of the program's sources.
class ProgramBuild final {
 public:
  /// Throws CommandFailure: usage (no compilation database, or not that of the program), refused (a program without
  /// debug information, a database that another user may have written).
  explicit ProgramBuild(const ComparisonOptions& options);

  const std::string& program() const noexcept { return program_; }
  /// The file to compare with.
  const std::string& file() const noexcept { return file_; }
  std::span<const CompileCommand* const> commands() const noexcept { return of_program_; }
  /// Of sources that the program has by its symbols, and no debug information of.
  std::span<const CompileCommand* const> unknown() const noexcept { return unknown_; }
  /// The command of the source; null if the program has no such source.
  const CompileCommand* command_of(const std::string& source, const std::string& folder) const;
  /// The source's name, with its path if the program has several of that name.
  std::string name_of(const CompileCommand& command) const;

 private:
  std::string program_;
  std::string file_;
  std::vector<CompileCommand> all_;
  std::vector<const CompileCommand*> of_program_;
  std::vector<const CompileCommand*> unknown_;
};

/// Compiles sources of one program, and compares them.
class SourceComparison final {
 public:
  SourceComparison(const ProgramBuild& build, const ComparisonOptions& options, Deadline deadline)
      : build_(build), options_(options), deadline_(deadline) {}

  /// The sources that the options name, or that were edited or are patched. Throws CommandFailure, as
  /// compile_fresh_object and SourcePatch do, and:
  /// usage: a source is none of the program's
  /// refused: a source that is patched differs without the patch, too
  const std::vector<ComparedSource>& run();
  /// Throws CommandFailure (refused): most functions of a source differ, but for the sources `excused`, so that the
  /// program was hardly built like that.
  void require_same_build(const std::set<const ComparedSource*>& excused);
  /// Throws CommandFailure (usage): a source or a header was saved since run() began, so that what was compiled first
  /// and last may not be the same.
  void require_unsaved();
  /// Compares the source anew, as compiled from the preprocessed text in the file `text`. Throws as run() does.
  void recompile(const ComparedSource& source, const std::filesystem::path& text);
  /// Some of what differs may have moved to other lines, and have no other change.
  static bool may_have_moved(const ComparedSource& source);
  /// Leaves alone what differs from the program only because it has moved to other lines, by `moved`
  /// (diff/moved_lines). The names of these functions. Throws as run() does.
  std::vector<std::string> keep_moved(const ComparedSource& source, const diff::MovedLines& moved);
  /// After run() has returned sources.
  const diff::LinkedFile& program() const { return *program_; }
  const DebugInfo* debug_info() const { return debug_info_.get(); }
  /// The patch, if there is one, and the files of it that no source has read, by their places in the tree.
  const SourcePatch* patch() const { return patch_ ? &*patch_ : nullptr; }
  std::vector<std::string> unread_of_patch() const { return tree_ ? tree_->unread() : std::vector<std::string>(); }
  /// How run() compiles: with the patch.
  FreshObjectOptions compiler() {
    FreshObjectOptions compiler = options_.compiler;
    if (tree_) compiler.view = &*tree_;
    return compiler;
  }
  /// What the program's sources are, by the files that were written after it; nothing if none was.
  std::optional<EditedTree> edited_tree();
  /// A folder to write to.
  const std::filesystem::path& scratch() const { return scratch_.path(); }

 private:
  std::vector<const CompileCommand*> selected();
  std::vector<const CompileCommand*> named() const;
  std::vector<const CompileCommand*> patched(std::vector<const CompileCommand*> selected);
  std::set<std::filesystem::path> sources_of(const CompileCommand& command);
  void require_unedited(const std::vector<const CompileCommand*>& commands);
  void require_no_private_path(const ComparedSource& source) const;
  bool is_edited(const CompileCommand& command);
  const std::vector<std::string>& files_read_by(const CompileCommand& command);
  void compile(const std::vector<const CompileCommand*>& commands);
  void read(ComparedSource& source);
  void leave_moved(ComparedSource& source);
  std::filesystem::path began() const { return scratch_.path() / "began"; }
  void judge_by_origin();
  bool is_judged_by_origin(const diff::ComparedItem& function, const ComparedSource& in);
  diff::FileComparison compare_alone(const CompileCommand& command);
  [[noreturn]] void throw_other_build(const CompileCommand& command, const diff::FileComparison& comparison) const;

  const ProgramBuild& build_;
  const ComparisonOptions& options_;
  Deadline deadline_;
  ScratchFolder scratch_;
  RecordedDependencies recorded_{scratch_.path(), deadline_};
  std::map<const CompileCommand*, bool> edited_;
  std::map<const CompileCommand*, std::vector<std::string>> files_;
  std::map<const CompileCommand*, std::set<std::string>> moved_;  ///< symbols of what has only moved to other lines
  std::unique_ptr<ElfFile> file_;
  std::unique_ptr<diff::LinkedFile> program_;
  std::unique_ptr<DebugInfo> debug_info_;
  std::vector<ComparedSource> compared_;
  std::optional<SourcePatch> patch_;
  std::optional<PatchedTree> tree_;
  std::map<std::filesystem::path, std::filesystem::path> resolved_;  ///< names of sources
};

}  // namespace moult::internal::cli
