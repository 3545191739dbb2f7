// The classes that edits have changed: whether their objects can be given the new layout, and the sources with what
// does it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diff/class_conversion.hpp"
#include "diff/type_comparison.hpp"
#include "source_comparison.hpp"

namespace moult::internal::cli {

/// For the reader.
struct EditedClassText {
  std::string name;
  std::string difference;  ///< lines
};

class ClassEdits final {
 public:
  ClassEdits(SourceComparison& comparison, const ComparisonOptions& options, Deadline deadline)
      : comparison_(comparison), options_(options), deadline_(deadline) {}

  /// Judges the classes of the source; `types` is of this source, with its debug information open. Throws
  /// CommandFailure, as preprocess does.
  void add(const ComparedSource& source, const std::vector<ComparedSource>& all, const diff::TypeComparison& types);
  /// Compiles the sources again, with what converts objects. Call it if there are no refusals. Throws CommandFailure
  /// (refused): it does not compile.
  void compile();

  /// Whose objects change.
  const std::vector<EditedClassText>& classes() const noexcept { return classes_; }
  const std::vector<std::string>& refusals() const noexcept { return refusals_; }
  const std::vector<std::string>& notes() const noexcept { return notes_; }
  /// Functions of the program with values of the classes on their stacks; addresses of its file.
  const std::set<std::uint64_t>& functions() const noexcept { return functions_; }

 private:
  void judge(const ComparedSource& source, const std::vector<ComparedSource>& all, const diff::ChangedClass& changed);
  void judge_users(const std::vector<ComparedSource>& all, const std::string& name, std::vector<std::string>& reasons);
  const diff::PreprocessedSource& text_of(const ComparedSource& source);
  /// What the objects of a process have that the option `after` speaks of; nothing if it has them as the program.
  std::optional<ClassLayout> layout_after(const ComparedSource& source, const ClassName& name);

  /// What a source is compiled with.
  struct Additions {
    std::unique_ptr<diff::PreprocessedSource> text;
    std::map<std::size_t, std::string> members;
    std::string behind;
  };

  SourceComparison& comparison_;
  std::unique_ptr<ElfFile> after_file_;
  std::unique_ptr<DebugInfo> after_;
  const ComparisonOptions& options_;
  Deadline deadline_;
  std::map<const ComparedSource*, Additions> sources_;
  std::map<std::string, std::string> layouts_;  ///< of the classes judged so far
  std::vector<EditedClassText> classes_;
  std::vector<std::string> refusals_;
  std::vector<std::string> notes_;
  std::set<std::uint64_t> functions_;
};

}  // namespace moult::internal::cli
