// The updates that are loaded, and which of their code may still run.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "base/address.hpp"
#include "classes/conversion_code.hpp"
#include "symbols/class_uses.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// As things are while it lives: nothing may be changed meanwhile. For one thread.
class SentUpdates final {
 public:
  explicit SentUpdates(const Program& program);

  /// By their number in Program::modules(), the update at hand among them.
  bool is_update(std::size_t module) const { return all_.contains(module); }
  /// An update into which nothing leads: none of its code runs any more.
  bool is_left(std::size_t module) const { return all_.contains(module) && !reached_.contains(module); }

  /// Has all code of the module count, as that of the program does.
  void count_all_of(std::size_t module) { all_.erase(module); }

  /// Takes out the mentions and copies that no call comes to: those in the update `fresh`, in updates that are left,
  /// and what of the others serves their conversions only.
  void strike_spent(ClassUses& uses, const std::size_t* fresh) const;

 private:
  /// Functions of a module by their entries.
  using Functions = std::set<CodeAddress>;

  Functions spent_in(std::size_t module, const ClassUses& uses) const;
  NamedFunction named(const std::string& demangled, CodeAddress entry) const;

  const Program& program_;
  std::set<std::size_t> all_;
  std::set<std::size_t> reached_;
  Functions targets_;  ///< of redirections in force
};

}  // namespace moult::internal
