#include <chrono>
#include <optional>

#include "alterability/endless_calls.hpp"
#include "alterability/quiescence.hpp"
#include "base/fault.hpp"
#include "functions/function_change.hpp"
#include "moult/error.hpp"
#include "moult/updates.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult {

class SafeRedefineUpdate::Impl final {
 public:
  explicit Impl(const std::vector<Redefinition>& redefinitions) {
    for (const Redefinition& redefinition : redefinitions)
      pairs_.emplace_back(redefinition.replaced(), redefinition.replacement());
  }

  void prepare() { change_ = internal::FunctionChange::prepare(pairs_); }
  internal::FunctionChange& change() { return *change_; }

  void note_quiescence(const internal::StoppedWorld& stopped) { quiescent_since_ = stopped.began(); }
  bool is_quiescent_in(const internal::StoppedWorld& stopped) const { return quiescent_since_ == stopped.began(); }

 private:
  std::vector<internal::FunctionPair> pairs_;
  std::optional<internal::FunctionChange> change_;
  std::chrono::steady_clock::time_point quiescent_since_{};  ///< the stop of the last successful check, by its begin
};

// By value: a reference would match worse than the template.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
SafeRedefineUpdate::SafeRedefineUpdate(std::string name, std::vector<Redefinition> redefinitions,
                                       std::vector<ThreadId> threads)
    : Update(std::move(name), std::move(threads)), impl_(std::make_unique<Impl>(redefinitions)) {}

SafeRedefineUpdate::~SafeRedefineUpdate() = default;

void SafeRedefineUpdate::prepare() {
  impl_->prepare();
  internal::warn_of_endless_calls(impl_->change().old_functions(), threads());
  MOULT_FAULT("recipes.safe_redefine.prepared");
}

bool SafeRedefineUpdate::wait_alterability() {
  bool is_quiescent = internal::wait_quiescence(impl_->change().old_functions(), patience(), threads());
  if (is_quiescent) impl_->note_quiescence(*internal::current_stop());
  return is_quiescent;
}

bool SafeRedefineUpdate::check_alterability() {
  bool is_quiescent = internal::check_quiescence(impl_->change().old_functions(), patience(), threads());
  if (is_quiescent) impl_->note_quiescence(*internal::current_stop());
  return is_quiescent;
}

void SafeRedefineUpdate::apply() {
  const internal::StoppedWorld* stopped = internal::current_stop();
  if (stopped == nullptr)
    throw Error(ErrorCode::invalid_argument,
                name() + ": the program was resumed before apply redefined anything; resume it in resume_hook");
  MOULT_FAULT("recipes.safe_redefine.apply");
  // A hook may have resumed the program; then quiescence was found in another stop. The same check is needed when only
  // some threads were named: the other threads must be out of the bytes that the change overwrites.
  if (!impl_->is_quiescent_in(*stopped)) internal::require_quiescence(*stopped, impl_->change().old_functions());
  if (!threads().empty()) impl_->change().require_clear(*stopped);
  impl_->change().commit(*stopped, internal::Transaction::current());
  MOULT_FAULT("recipes.safe_redefine.applied");
}

}  // namespace moult
