// Conversion of objects as a change of the program: recorded in a transaction, undone, rolled back.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alterability/quiescence.hpp"
#include "base/transaction.hpp"
#include "convert/edited_converter.hpp"
#include "moult/data_update.hpp"
#include "moult/lazy_update.hpp"
#include "symbols/class_name.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// Prepared while the program runs, committed in a stop.
class ObjectChange final {
 public:
  /// Finishes what conversions at first use have left of the class. Throws Error when the new objects do not fit
  /// (layout_mismatch), or cannot be converted at their first use where that is wanted (unsupported), or the class
  /// cannot be redefined where that is wanted (see ClassChange); invalid_argument; std::bad_alloc. Nothing is changed.
  static ObjectChange prepare(const detail::ConversionRequest& conversion);
  /// The same where an edit gives the class another layout: under its own name, in all code at once. Also throws Error
  /// (unsupported): an update has converted objects to another class. `edited` outlives the change.
  static ObjectChange prepare_edit(const EditedClass& edited, EditedConverter::Direction direction);
  /// The same for a change of one object.
  static ObjectChange prepare_one(const detail::ConversionRequest& conversion);
  ObjectChange(ObjectChange&&) noexcept;
  ObjectChange& operator=(ObjectChange&&) noexcept;
  ~ObjectChange();

  /// Both classes: the old one, then the new one.
  const std::vector<ClassName>& class_names() const noexcept;
  /// Functions that are redefined as well, and code of theirs that is to be overwritten.
  std::span<const FunctionExtent> old_functions() const noexcept;
  std::span<const CodeRange> keep_out() const noexcept;

  /// Converts every object, redefines the class where that is wanted, and records in `transaction`, if there is one,
  /// how to take it back. Returns how many objects were converted by now. Throws what the transformer throws; Error as
  /// Conversion::build does, still_active. Nothing has changed then that the transaction would not undo.
  std::size_t commit(const StoppedWorld& stopped, Transaction* transaction);
  /// Converts one object; false when it is none of the old class in a pool.
  bool commit_one(const StoppedWorld& stopped, Transaction* transaction, void* object);
  /// What it changes, a line each: those of the functions too. `converted`: how many objects, where that is known yet.
  std::vector<std::string> lines(std::optional<std::size_t> converted) const;
  /// To be called when the program runs again after a commit without a transaction.
  void finish() noexcept;
  /// The conversion at first use that goes on.
  LazyObjects objects() const noexcept;

 private:
  struct State;
  explicit ObjectChange(std::shared_ptr<State> state);
  void carry_out(const StoppedWorld& stopped, Transaction* transaction);
  std::shared_ptr<State> state_;
};

}  // namespace moult::internal
