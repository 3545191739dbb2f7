// The classes that edits have given another layout, and the change of their objects in the stop of an edit.
//
// An edit knows the layout that its sources had before, and the one that they have now. What the objects have when it
// is applied depends on the edits before it. It is applied only if that is what it was built to go on from: it would
// destroy what it does not know.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alterability/quiescence.hpp"
#include "base/transaction.hpp"
#include "classes/object_change.hpp"
#include "moult/detail/edited_class.hpp"
#include "pools/object_class.hpp"
#include "symbols/class_name.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

using EditedClassList = std::vector<const EditedClass*>;

/// The update that an edit was built to go on from; empty: it knows no other edit.
struct EditBase {
  std::string file;      ///< its name
  std::string build_id;  ///< in hex
};

/// An edit, as far as classes are concerned.
struct EditOfClasses {
  std::string name;
  std::uint64_t update = 0;  ///< 0: not applied yet
  std::string build_id;      ///< of its file, in hex
  EditedClassList classes;   ///< that have another layout than in the program's file
  EditBase base{};
};

/// Prepared while the program runs, committed in a stop. All classes outlive it.
class EditedClasses final {
 public:
  /// `earlier` are the edits before `edit` that are applied, in order. A class that an earlier edit has and `returned`
  /// names is to be the program's own again. Throws Error, having changed nothing:
  /// layout_mismatch: the objects' layout is not the one that the edit was built for, or they do not fit their slots
  /// unsupported: another module of the process uses the class; as ObjectChange::prepare_edit
  static EditedClasses prepare(const EditOfClasses& edit, const EditedClassList& returned,
                               const std::vector<EditOfClasses>& earlier);
  EditedClasses() = default;

  bool empty() const noexcept { return changes_.empty(); }
  /// Those in whose pools the objects are that change.
  std::vector<ClassName> names() const;
  /// Converts the objects, and records in the transaction how to take it back. Throws Error also: still_active, when
  /// another edit was applied since prepare.
  void commit(const StoppedWorld& stopped, Transaction& transaction);

 private:
  struct Change {
    const ObjectClass* object_class = nullptr;
    const ObjectClass* pools = nullptr;  ///< the class in whose pools the objects are
    const char* before = nullptr;        ///< layouts
    const char* after = nullptr;
    ObjectChange objects;
  };
  std::vector<Change> changes_;
};

/// A loaded file of an edit: it may use the classes of the edit, since its code is replaced with the edit.
void note_edit_module(const void* inside);

}  // namespace moult::internal
