// The classes that edits have given another layout, and the change of their objects in the stop of an edit.
//
// An edit knows the layout that its sources had before, and the one that they have now. What the objects have when it
// is applied depends on the edits before it.
#pragma once

#include <span>
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

/// Prepared while the program runs, committed in a stop. All classes outlive it.
class EditedClasses final {
 public:
  /// `wanted`: as the edit `name` has them; `earlier`: of the edits before it, that are applied. A class that an
  /// earlier edit has and `returned` names is to be the program's own again. Throws Error, having changed nothing:
  /// layout_mismatch: the objects' layout is none that the edit can begin with, or they do not fit their slots
  /// unsupported: another module of the process uses the class; as ObjectChange::prepare_edit
  static EditedClasses prepare(const std::string& name, const EditedClassList& wanted, const EditedClassList& returned,
                               const EditedClassList& earlier);
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
