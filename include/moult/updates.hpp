// The ready-made updates.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "moult/relinking.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// One function to replace, with what replaces it. Built only from pairs of one signature, whose noexcept is no part.
class Redefinition final {
 public:
  template <class R, class... Args>
  Redefinition(R (*old_function)(Args...), R (*fresh)(Args...)) : replaced_(old_function), replacement_(fresh) {}
  template <class R, class... Args>
  Redefinition(const Function<R(Args...)>& old_function, R (*fresh)(Args...))
      : replaced_(old_function), replacement_(fresh) {}
  template <class Old, class New, class R, class... Args>
  Redefinition(R (Old::*old_function)(Args...), R (New::*fresh)(Args...))
      : replaced_(old_function), replacement_(fresh) {}
  template <class Old, class New, class R, class... Args>
  Redefinition(R (Old::*old_function)(Args...) const, R (New::*fresh)(Args...) const)
      : replaced_(old_function), replacement_(fresh) {}
  /// Functions with "...", lambdas without captures, and methods with whatever qualifiers.
  template <class Old, class Fresh>
  requires detail::replaceable<Old, Fresh> Redefinition(const Old& old_function, const Fresh& fresh)
      : replaced_(detail::plain<std::decay_t<Old>>(old_function)),
        replacement_(detail::plain<std::decay_t<Fresh>>(fresh)) {}

  const AnyFunction& replaced() const noexcept { return replaced_; }
  const AnyFunction& replacement() const noexcept { return replacement_; }

 private:
  AnyFunction replaced_;
  AnyFunction replacement_;
};

/// Replaces functions when none of them is active on any stack (quiescence): all of them in one stop, or none.
/// After Ksplice's stack check. What can be refused is refused in prepare, while the program runs.
class SafeRedefineUpdate : public Update {
 public:
  SafeRedefineUpdate(std::string name, std::vector<Redefinition> redefinitions, std::vector<ThreadId> threads = {});
  template <class Old, class Fresh>
  SafeRedefineUpdate(std::string name, Old&& old_function, Fresh&& fresh, std::vector<ThreadId> threads = {})
      : SafeRedefineUpdate(std::move(name),
                           std::vector{Redefinition(std::forward<Old>(old_function), std::forward<Fresh>(fresh))},
                           std::move(threads)) {}
  ~SafeRedefineUpdate() override;

  void prepare() override;
  bool wait_alterability() override;
  bool check_alterability() override;
  void apply() override;

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// The same for the methods of a class; virtual ones are found through the vtable. The replacing class's objects must
/// be laid out as the old one's.
using SafeRedefineMethodUpdate = SafeRedefineUpdate;

}  // namespace moult
#pragma GCC visibility pop
