// The updates that are loaded, and which of their code may still run.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "functions/update_calls.hpp"
#include "symbols/class_uses.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// True for an update that imports functions of the C library that have code called later, such as pthread_create.
/// Throws Error (unreadable).
bool may_have_code_called_later(const std::string& update);

/// A snapshot: good while no change is committed or rolled back. For one thread.
class LoadedUpdates final {
 public:
  explicit LoadedUpdates(const Program& program);

  /// Modules go by their number in Program::modules(). The update at hand is among the updates.
  bool is_update(std::size_t module) const { return all_.contains(module); }
  /// Nothing leads into this update: none of its code runs any more.
  bool is_unreachable(std::size_t module) const { return all_.contains(module) && !reached_.contains(module); }

  /// All code of the module counts from now on, as that of the program does.
  void count_all_of(std::size_t module) { all_.erase(module); }

  /// Removes the uses and copies that no call reaches: all in the update `replacement` and in unreachable updates, and
  /// in the others the code that serves their conversions only.
  void strike_unreachable(ClassUses& uses, const std::size_t* replacement) const;

 private:
  /// Functions of a module by their entries.
  using Functions = std::set<CodeAddress>;

  void note_code_in_use();
  Functions unreachable_in(std::size_t module) const;

  const Program& program_;
  std::set<std::size_t> all_;
  std::set<std::size_t> reached_;
  Functions targets_;  ///< of active redirections, and functions that were handed over
};

/// Addresses on record, by what they are.
struct RecordedCode {
  std::vector<const void*> converters{};       ///< vtables
  std::vector<const void*> transformers{};     ///< words of the converters' memory
  std::vector<const void*> ended_updates{};    ///< vtables
  std::vector<const void*> waiting_updates{};  ///< vtables
};

/// The functions of a reached update that no call reaches all the same. `kept` are functions that may be called from
/// elsewhere.
std::set<CodeAddress> functions_without_callers(const ModuleCalls& calls, const RecordedCode& recorded,
                                                const std::set<CodeAddress>& kept);

}  // namespace moult::internal
