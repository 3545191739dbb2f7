// The classes that edits have changed: whether their objects can be given the new layout, and the code that does it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "added_code.hpp"
#include "diff/class_conversion.hpp"
#include "diff/class_users.hpp"
#include "diff/type_comparison.hpp"
#include "earlier_edit.hpp"
#include "source_comparison.hpp"

namespace moult::internal::cli {

/// For the reader.
struct EditedClassText {
  std::string name;
  std::string difference;  ///< lines
};

class ClassEdits final {
 public:
  /// `base` is the edit that the process has, and whose layouts of objects these edits go on from; null: none.
  ClassEdits(SourceComparison& comparison, AddedCode& added, const EarlierEdit* base, Deadline deadline)
      : comparison_(comparison), added_(added), base_(base), deadline_(deadline) {}

  /// Notes the classes of the source; `types` is of this source.
  void add(const ComparedSource& source, const diff::TypeComparison& types);
  /// Judges all classes, and adds the code that converts their objects; `all` are the sources. The debug information
  /// that they are from is still open. Throws CommandFailure, as preprocess does.
  void judge(const std::vector<ComparedSource>& all);
  /// Adds the refusals that the compiler's answers lead to; the sources have been compiled with the code.
  void judge_answers();
  /// Whose objects change.
  const std::vector<EditedClassText>& classes() const noexcept { return classes_; }
  const std::vector<std::string>& refusals() const noexcept { return refusals_; }
  const std::vector<std::string>& notes() const noexcept { return notes_; }
  /// Functions of the program with values of the classes on their stacks; addresses of its file.
  const std::set<std::uint64_t>& functions() const noexcept { return functions_; }

 private:
  /// A class, and a source that has it.
  struct Changed {
    const ComparedSource* source = nullptr;
    diff::ChangedClass changed;
  };
  /// What a source is to be asked of a class once it is compiled.
  struct Asked {
    const ComparedSource* source = nullptr;
    std::string class_name;
    diff::ClassQuestions questions;
  };
  void judge(const Changed& each, const std::vector<ComparedSource>& all);
  void judge_users(const std::vector<ComparedSource>& all, const diff::WholeClass& whole,
                   std::vector<std::string>& reasons);
  void judge_placed(const std::vector<ComparedSource>& all, const diff::ClassUsers& users,
                    const diff::WholeClass& whole, std::vector<std::string>& reasons);
  const diff::ObjectFile& marked(const ComparedSource& source);
  bool is_converted_subclass(const std::string& name, const diff::WholeClass& of_base) const;
  diff::WholeClass whole(const Dwarf_Die& type, const std::string& name) const;
  /// As the objects of a process have it; nothing if they have it as the program does.
  std::optional<diff::WholeClass> class_in_base(const ComparedSource& source, const ClassName& name) const;

  /// Compiled with marks.
  struct MarkedObject {
    explicit MarkedObject(const std::string& path) : file(ElfFile::open(path)), object(file) {}
    ElfFile file;
    diff::ObjectFile object;
  };

  SourceComparison& comparison_;
  AddedCode& added_;
  const EarlierEdit* base_;
  Deadline deadline_;
  std::map<const ComparedSource*, std::unique_ptr<MarkedObject>> marked_;
  std::vector<Changed> changed_;
  std::vector<Asked> asked_;
  std::set<std::string> names_;                 ///< of these
  std::map<std::string, std::string> layouts_;  ///< of the classes judged so far
  std::vector<EditedClassText> classes_;
  std::vector<std::string> refusals_;
  std::vector<std::string> notes_;
  std::set<std::uint64_t> functions_;
};

}  // namespace moult::internal::cli
