// Redefinition of a class: its member functions together, after its layout was found to fit.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "classes/class_pair.hpp"
#include "classes/old_destructor.hpp"
#include "functions/function_change.hpp"
#include "symbols/layout_comparison.hpp"

namespace moult::internal {

/// Prepared while the program runs, committed in a stop: see FunctionChange, which this is made of.
class ClassChange final {
 public:
  /// Throws Error, with every reason there is, when the class cannot be redefined safely:
  /// not_found: no debug information of a class, or functions that the new one lacks
  /// ambiguous: modules disagree about the layout of a class
  /// layout_mismatch: code that stays would use objects of the new class wrongly, or they are too large for their
  /// slots,
  ///   or the class is redefined already, as one that is laid out otherwise
  /// signature_mismatch, inlined, too_short, unsupported_code, no_room: as for functions
  /// unsupported: old values end later, and their destructor may call what is redefined
  /// invalid_argument: the new class derives from the old one
  static ClassChange prepare(const ClassRequest& request);
  ClassChange(ClassChange&&) noexcept;
  ClassChange& operator=(ClassChange&&) noexcept;
  ~ClassChange();

  const LayoutComparison& layout() const noexcept;
  /// Bytes of an object before and after.
  std::size_t old_size() const noexcept;
  std::size_t replacement_size() const noexcept;
  /// Objects that live must become ones of the new class in the same stop: their table lacks functions.
  bool adds_virtual_functions() const noexcept;
  /// Functions that only the new class has; demangled.
  const std::vector<std::string>& added_functions() const noexcept;

  /// The old class's, as it was before: null unless the request wants it.
  Destructor old_destructor() const noexcept;

  /// The functions that are changed together.
  const FunctionChange& functions() const noexcept;
  /// See FunctionChange.
  std::span<const FunctionExtent> old_functions() const noexcept;
  std::span<const CodeRange> keep_out() const noexcept;
  void require_clear(const StoppedWorld& stopped) const;
  void commit(const StoppedWorld& stopped, Transaction* transaction);
  void finish() noexcept;
  const std::vector<std::string>& lines() const noexcept;

 private:
  struct State;
  explicit ClassChange(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace moult::internal
