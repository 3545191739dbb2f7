// The ready-made updates for functions.
//
//   manager.add_update(std::make_unique<moult::SafeRedefineUpdate>("greeting", &app::greet, &greet_v2));
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "moult/detail/opaque.hpp"
#include "moult/relinking.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// A function to replace, and its replacement. Only pairs of one signature compile. The replacement of a noexcept
/// function is noexcept.
class Redefinition final {
 public:
  template <class R, class... Args>
  Redefinition(R (*old_function)(Args...), R (*new_function)(Args...))
      : replaced_(old_function), replacement_(new_function) {}
  template <class R, class... Args>
  Redefinition(const Function<R(Args...)>& old_function, R (*new_function)(Args...))
      : replaced_(old_function), replacement_(new_function) {}
  template <class Old, class New, class R, class... Args>
  Redefinition(R (Old::*old_function)(Args...), R (New::*new_function)(Args...))
      : replaced_(old_function), replacement_(new_function) {}
  template <class Old, class New, class R, class... Args>
  Redefinition(R (Old::*old_function)(Args...) const, R (New::*new_function)(Args...) const)
      : replaced_(old_function), replacement_(new_function) {}
  /// Functions with "...", lambdas without captures, and methods with any qualifiers.
  template <class Old, class Replacement>
  requires detail::replaceable<Old, Replacement> Redefinition(const Old& old_function, const Replacement& new_function)
      : replaced_(detail::plain<std::decay_t<Old>>(old_function)),
        replacement_(detail::plain<std::decay_t<Replacement>>(new_function)) {}
  /// Does not compile: the two are of different types, or only the old one is noexcept.
  template <class Old, class Replacement>
  requires(!detail::replaceable<Old, Replacement>) Redefinition(const Old&, const Replacement&)
      : replaced_(nullptr, {}), replacement_(nullptr, {}) {
    detail::require_replaceable<Old, Replacement>();
  }

  const AnyFunction& replaced() const noexcept { return replaced_; }
  const AnyFunction& replacement() const noexcept { return replacement_; }

 private:
  AnyFunction replaced_;
  AnyFunction replacement_;
};

/// A redefinition of functions, or of a class, that is checked and ready to be made. For an update of your own whose
/// apply makes several changes in one stop: reading debug information takes up to seconds, and happens before that
/// stop.
///
///   void prepare() override { change_ = moult::prepare_redefinition({{sum, sum_v2}}); }
///   void apply() override { change_.make(); }
///   moult::PreparedRedefinition change_;
///
/// Every attempt of an update begins with prepare, so it makes what it has prepared itself.
class PreparedRedefinition final {
 public:
  /// Nothing is prepared.
  PreparedRedefinition() noexcept = default;
  explicit PreparedRedefinition(std::shared_ptr<detail::OpaquePreparedRedefinition> prepared) noexcept
      : prepared_(std::move(prepared)) {}

  /// Makes the change, once. Called from a step of an update, it belongs to that update: it is undone with it and can
  /// be rolled back. In a stopped program it needs no stop of its own; elsewhere it makes one.
  ///
  /// invalid_argument: nothing is prepared, or the change was made already
  /// still_active: a thread stands in the first bytes of one of the functions
  /// unsupported_code: something else has overwritten one of the functions since
  /// layout_mismatch: objects live whose table lacks new virtual functions of the class
  /// thread_unstoppable: a thread did not reach a safepoint in time
  void make();

 private:
  std::shared_ptr<detail::OpaquePreparedRedefinition> prepared_;
};

/// Reads and checks what redefining these functions together needs, and changes nothing. Call it in prepare. Errors as
/// redefine_any_function. data_update.hpp has the same for a class.
PreparedRedefinition prepare_redefinition(std::vector<Redefinition> redefinitions);

/// Replaces functions when none of them is active on any stack (quiescence): all in one stop, or none. prepare makes
/// every check that can refuse, while the program runs. After Ksplice's stack check. Errors as redefine_any_function.
class SafeRedefineUpdate : public Update {
 public:
  SafeRedefineUpdate(std::string name, std::vector<Redefinition> redefinitions, std::vector<ThreadId> threads = {});
  template <class Old, class Replacement>
  SafeRedefineUpdate(std::string name, Old&& old_function, Replacement&& new_function,
                     std::vector<ThreadId> threads = {})
      : SafeRedefineUpdate(std::move(name), one_redefinition(old_function, new_function), std::move(threads)) {}
  ~SafeRedefineUpdate() override;

  void prepare() override;
  bool wait_alterability() override;
  bool check_alterability() override;
  void apply() override;

 private:
  template <class Old, class Replacement>
  static std::vector<Redefinition> one_redefinition(Old& old_function, Replacement& new_function) {
    return {Redefinition(old_function, new_function)};
  }

  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// The same for the methods of a class; virtual ones are found through the vtable. Objects of the replacing class must
/// have the layout of the old class's.
using SafeRedefineMethodUpdate = SafeRedefineUpdate;

}  // namespace moult
#pragma GCC visibility pop
