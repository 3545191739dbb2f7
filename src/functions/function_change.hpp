// Redefinition of functions: what is checked before, done in the stop, and kept to take it back.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alterability/quiescence.hpp"
#include "base/transaction.hpp"
#include "moult/relinking.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

using FunctionPair = std::pair<AnyFunction, AnyFunction>;  ///< the old function, and its replacement

/// What is done about copies of an old function in its callers, which the change does not reach.
enum class Copies {
  refused,
  kept,  ///< they stay the old version, as the author of the update wants it
};

/// Several functions to be redefined together. Prepared while the program runs, committed in a stop.
class FunctionChange final {
  struct State;

 public:
  /// Throws Error when one of them cannot be redefined safely: not_found, inlined, too_short, unsupported_code,
  /// no_room, invalid_argument. Every refusal is named, not only the first. Nothing is changed.
  static FunctionChange prepare(std::span<const FunctionPair> pairs, Copies copies = Copies::refused);
  FunctionChange(FunctionChange&&) noexcept;
  FunctionChange& operator=(FunctionChange&&) noexcept;
  ~FunctionChange();

  /// All code of the old functions, and of what earlier changes made of them.
  std::span<const FunctionExtent> old_functions() const noexcept;
  /// Code that is about to be overwritten (StopOptions::keep_out).
  std::span<const CodeRange> keep_out() const noexcept;

  /// Throws Error: still_active when a thread stands inside code about to be overwritten, which quiescence of the old
  /// functions says already; unsupported_code when something else has overwritten it.
  void require_clear(const StoppedWorld& stopped) const;
  /// Makes the change and records in `transaction`, if there is one, how to take it back; else it is there to stay.
  /// Only after require_clear, or after quiescence was found in the same stop. Throws Error (unsupported_code), having
  /// changed nothing, as require_clear does.
  void commit(const StoppedWorld& stopped, Transaction* transaction);
  /// While it lives, the old functions are reached again, in a stopped program: that of commit, or a later one, after
  /// which finish is to be called once more. There the constructor may throw Error (system). Null: nothing.
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

  /// To be called when the program runs again after commit.
  void finish() noexcept;
  /// All of these in a stop of its own, or in the one that the current update has made: see change_directly. Throws
  /// Error: thread_unstoppable, still_active, unsupported_code, invalid_argument.
  void commit_now();
  /// What it changes, a line each.
  const std::vector<std::string>& lines() const noexcept;

 private:
  FunctionChange() = default;
  std::shared_ptr<State> state_;
};

}  // namespace moult::internal
