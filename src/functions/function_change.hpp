// Redefinition of functions: the checks before the stop, the change in it, and its undo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alterability/quiescence.hpp"
#include "base/transaction.hpp"
#include "moult/relinking.hpp"
#include "symbols/program.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

using FunctionPair = std::pair<AnyFunction, AnyFunction>;  ///< the old function, and its replacement

/// The treatment of inlined copies of an old function, which the change does not reach.
enum class Copies {
  refused,
  kept,  ///< they stay the old version, as the update's author wants
};

/// The function that begins at the address of `function`, which is called `role` in messages if it has no name. Throws
/// Error: not_found, unreadable.
FunctionSymbol symbol_of(const Program& program, const AnyFunction& function, const char* role);

/// If the program has no copy of an inline function that an update could be bound to, a pointer to it in the update
/// leads to the update's own copy. Throws Error (not_found) if `old` is such a copy in the file `update`.
void require_programs_own(const Program& program, const FunctionSymbol& old, const std::string& update);

/// A function of the program, and its version in an update that was made from edited sources, with what the compiler
/// moved away from each (run-time addresses, the entry's first).
struct EditedFunction {
  std::string name;
  std::vector<CodeRange> old_code;
  std::vector<CodeRange> new_code;  ///< empty: nothing calls the old one any more
  std::string source;
};

/// Several functions that are redefined together. Prepared while the program runs, committed in a stop.
class FunctionChange final {
  struct State;

 public:
  /// Changes nothing. Throws Error, with every refusal and not only the first, when a function cannot be redefined
  /// safely: not_found, inlined, too_short, unsupported_code, no_room, invalid_argument.
  static FunctionChange prepare(std::span<const FunctionPair> pairs, Copies copies = Copies::refused);
  /// The same for functions whose callers were compared with the program's when the update was made: every function
  /// that has an inlined copy of one, or relies on its code, is among them. Reads no debug information. Throws Error:
  /// too_short, unsupported_code, no_room, invalid_argument.
  static FunctionChange prepare_edit(std::span<const EditedFunction> functions);
  FunctionChange(FunctionChange&&) noexcept;
  FunctionChange& operator=(FunctionChange&&) noexcept;
  ~FunctionChange();

  /// All code of the old functions, and of the versions that earlier changes made of them.
  std::span<const FunctionExtent> old_functions() const noexcept;
  /// Code that is about to be overwritten (StopOptions::keep_out).
  std::span<const CodeRange> keep_out() const noexcept;

  /// Throws Error: still_active when a thread stands inside code about to be overwritten (quiescence of the old
  /// functions implies that none does); unsupported_code when something else has overwritten that code.
  void require_clear(const StoppedWorld& stopped) const;
  /// Makes the change, and records its undo in `transaction`; without a transaction the change is permanent. Only after
  /// require_clear, or after quiescence was found in the same stop. Throws Error (unsupported_code) as require_clear
  /// does, having changed nothing.
  void commit(const StoppedWorld& stopped, Transaction* transaction);
  /// Before supersede, outside of the stop of commit: the part that may fail. finish must be called once more. Throws
  /// Error (system).
  void prepare_to_supersede();
  /// Takes one of the redefinitions out of effect while the update `by` stands in for it; 0: into effect again. By its
  /// number among those that prepare_edit got with new code.
  void supersede(const StoppedWorld& stopped, std::size_t redefinition, std::uint64_t by) noexcept;
  /// While it lives, calls reach the old functions again. In the stop of commit, or in a later stop, after which finish
  /// must be called once more; there the constructor may throw Error (system). Does nothing for null.
  class Bypassed final {
   public:
    Bypassed(const FunctionChange* change, const StoppedWorld& stopped);
    ~Bypassed();
    Bypassed(const Bypassed&) = delete;
    Bypassed& operator=(const Bypassed&) = delete;

   private:
    std::shared_ptr<FunctionChange::State> state_;
    const StoppedWorld& stopped_;
  };

  /// Call it when the program runs again after commit.
  void finish() noexcept;
  /// Makes the whole change in a stop of its own, or in the stop of the current update: see change_directly. Throws
  /// Error: thread_unstoppable, still_active, unsupported_code, invalid_argument.
  void commit_now();
  /// The changes, a line each.
  const std::vector<std::string>& lines() const noexcept;

 private:
  FunctionChange() = default;
  std::shared_ptr<State> state_;
};

}  // namespace moult::internal
