// What an update must have so that a running program gets the edits of one source: which sections of the fresh object,
// where their references lead, and which functions of the program the new ones replace.
//
//   const FileComparison comparison = compare(object, program, debug_info);
//   const EditPlan plan = plan_edit(object, program, comparison, {}, {}, defined);
//   if (plan.refusals.empty()) write_update_object("answer.o", object, plan, "update.o");
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "diff/exception_table.hpp"
#include "diff/file_comparison.hpp"
#include "diff/linked_file.hpp"
#include "diff/object_file.hpp"
#include "elf/edit_format.hpp"

namespace moult::internal::diff {

/// A field that is filled in when the program and its place are known.
struct BoundField {
  FieldKind kind = FieldKind::address;
  std::uint64_t target = 0;  ///< an address of the program's file, or an offset in a thread's block
  std::int64_t addend = 0;
  /// The field is 8 bytes of a table of the update, and the instruction gets the distance to them: an access by way of
  /// the GOT. `addend` is then the instruction's.
  bool is_indirect = false;
  /// A new variable of the object, by its symbol: `target` is then the distance from its beginning.
  std::optional<std::size_t> variable{};
};

/// A function of the program, and the one that takes its place.
struct ReplacedFunction {
  std::string name;  ///< demangled
  /// In the program's file, the entry's first: the function and its cold part. None: the code is new.
  std::vector<CodeRange> code{};
  std::vector<Piece> replacement{};  ///< in the object, likewise; empty if calls in progress only have to end
};

/// What only the edit's author knows of variables. Names are those of the source, as "app::counter".
struct EditChoices {
  std::map<std::string, std::string> renamed;  ///< new names, and the old ones whose values they go on with
  std::set<std::string> fresh;                 ///< new variables that begin anew, though one of their size is gone
  std::set<std::string> reset;                 ///< variables that get their new initial values
};

/// A variable of the program, and the value that it gets.
struct ResetValue {
  std::string name;  ///< demangled
  std::string symbol;
  std::string choice;         ///< of EditChoices::reset
  std::uint64_t address = 0;  ///< in the program's file
  std::vector<std::uint8_t> value;
};

struct EditPlan {
  std::set<std::size_t> sections;            ///< of the object, which the update has
  std::map<ObjectPlace, BoundField> fields;  ///< by the place of the relocation
  /// Fields of instructions that compute an address of a library's (`lea`), which become loads of it (`mov`).
  std::set<ObjectPlace> loads;
  /// A library's variables that the code reads and writes where they are, which is out of its reach. Refusals name
  /// them, too: code that finds them by a table has none.
  std::set<std::string> out_of_reach;
  std::set<std::size_t> undefined;  ///< symbols that another object of the update defines
  std::set<std::string> needed;     ///< the names of those that are new: see NewNames
  std::vector<ReplacedFunction> functions;
  std::set<std::size_t> variables;  ///< symbols of the new ones
  std::vector<ResetValue> resets;
  /// What is new and may be held by the program from then on: functions whose address is used, and variables that other
  /// sources see. A later edit of this source cannot replace them.
  std::vector<std::string> held;
  /// Some of it calls functions that are replaced, so it must not outlive the update.
  bool is_permanent = false;
  /// A variable of a lambda, or one that compilers number, is bound to the program's by its name.
  bool binds_numbered = false;
  std::vector<std::string> refusals;  ///< a line each; empty if the edit can be applied
  std::vector<std::string> notes;     ///< what the edit does not do to a running program

  /// The update has something of this source.
  bool has_part() const noexcept { return !functions.empty() || !sections.empty(); }
};

/// Functions and variables that the program lacks, and that several sources share.
struct NewNames {
  std::set<std::string> all;     ///< those that some edited source defines
  std::set<std::string> needed;  ///< those of them that another source's part of the update refers to
};

/// `defined` are the shared functions and variables (inline, template) that objects planned before give to the update;
/// those of this object are added.
EditPlan plan_edit(const ObjectFile& object, const LinkedFile& program, const FileComparison& comparison,
                   const EditChoices& choices, const NewNames& news, std::set<std::string, std::less<>>& defined);

/// The names of functions and variables that the object defines for other sources and that the program lacks.
std::set<std::string> new_names_of(const ObjectFile& object, const LinkedFile& program);

}  // namespace moult::internal::diff
