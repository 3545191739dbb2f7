// Builds an update from the edited sources of a program.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "added_code.hpp"
#include "class_edits.hpp"
#include "diff/type_comparison.hpp"
#include "earlier_edit.hpp"
#include "source_comparison.hpp"

namespace moult::internal::cli {

/// What the user says of variables.
struct VariableChoices {
  std::vector<std::string> renamed;  ///< OLD=NEW
  std::vector<std::string> fresh;
  std::vector<std::string> reset;
};
void add_choices(CLI::App& command, VariableChoices& choices);
/// Throws CommandFailure (usage).
diff::EditChoices choices_of(const VariableChoices& options);

/// Names the patch that is taken in place of edits.
CLI::Option* add_patch(CLI::App& command, std::string& patch);
/// Its name and its checksum.
nlohmann::ordered_json json_of(const SourcePatch& patch);

/// What the edits come to.
struct EditOutcome {
  std::vector<std::string> functions;    ///< that get a new version, demangled
  std::vector<std::string> sources;      ///< that have them
  std::vector<EditedClassText> classes;  ///< whose objects get another layout
  std::vector<std::string> resets;       ///< variables that get their new initial values, demangled
  std::vector<std::string> not_reset;    ///< choices that no variable fits whose initial value has changed; a line each
  std::vector<std::string> notes;        ///< what the edits do not do to a running program, a line each
  std::vector<std::string> refusals;     ///< why they cannot be applied to a running program, a line each

  /// There is something to give to a running program.
  bool has_effect() const noexcept { return !functions.empty() || !resets.empty(); }
};

std::vector<std::string> names_of(const std::vector<EditedClassText>& classes);
/// "2 functions replaced (f(), g()); objects of app::Item get the new layout".
std::string summary_of(const EditOutcome& outcome);

/// Compares, judges and links, in this order.
class EditBuild final {
 public:
  /// Throws CommandFailure, as ProgramBuild and EarlierEdit do.
  EditBuild(const ComparisonOptions& options, Deadline deadline)
      : options_(options),
        deadline_(deadline),
        build_(options),
        base_(earlier_edit(options, build_)),
        comparison_(build_, options, deadline),
        added_(comparison_, deadline),
        classes_(comparison_, added_, base(), deadline) {}

  const ProgramBuild& program() const noexcept { return build_; }
  /// After compare(); null if there is none.
  const SourcePatch* patch() const noexcept { return comparison_.patch(); }
  /// After compare().
  const std::vector<ComparedSource>& compared() const noexcept { return *compared_; }
  /// Throws CommandFailure, as SourceComparison does.
  const std::vector<ComparedSource>& compare();
  /// Throws CommandFailure: refused (no build id, no debug information), usage (the update cannot be linked).
  const EditOutcome& judge();
  /// Writes the update: for every process of this build of the program, wherever it is loaded. Only if the outcome has
  /// an effect and no refusals. Throws CommandFailure (usage).
  void write(const std::filesystem::path& output) const;

 private:
  const EarlierEdit* base() const noexcept { return base_ ? &*base_ : nullptr; }
  void compare_types();
  void begin_variables(const ComparedSource& source, const DebugUnit& unit);
  void leave_moved(const ComparedSource& source, const DebugUnit& old, const DebugUnit& fresh);
  void plan_all();
  bool reach_by_tables();
  void take_plans();
  void leave_users_of_classes();
  std::filesystem::path linked_alone(const ComparedSource& source) const;
  void judge_types(const ComparedSource& source);
  void judge_moved_variables();
  void judge_resets();
  std::filesystem::path update_object_of(const ComparedSource& source) const {
    return source.path.string() + ".update.o";
  }
  std::filesystem::path result() const { return comparison_.scratch() / "update.so"; }
  void link();
  void require_all_classes() const;
  void run_linker(const std::vector<std::string>& arguments) const;

  ComparisonOptions options_;
  Deadline deadline_;
  ProgramBuild build_;
  std::optional<EarlierEdit> base_;  ///< that the edits go on from
  SourceComparison comparison_;
  const std::vector<ComparedSource>* compared_ = nullptr;
  AddedCode added_;
  ClassEdits classes_;
  std::size_t begun_variables_ = 0;
  EditOutcome outcome_;
  std::vector<const ComparedSource*> sources_;                    ///< that the update has code of
  std::vector<std::string> unchanged_;                            ///< the names of the others that were compared
  std::map<const ComparedSource*, diff::TypeComparison> types_;   ///< of the sources with debug information
  std::set<const ComparedSource*> same_build_;                    ///< compiled as the program was, whatever differs
  std::vector<diff::EditPlan> plans_;                             ///< of each source
  std::map<std::uint64_t, diff::ResetValue> resets_;              ///< by address
  std::map<const ComparedSource*, std::set<std::string>> plain_;  ///< symbols of variables that are copied as bytes
  std::vector<std::string> moved_;                                ///< notes on functions that have only moved
};

}  // namespace moult::internal::cli
