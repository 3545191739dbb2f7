#include <optional>

#include "alterability/quiescence.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "moult/updates.hpp"
#include "redefine/function_change.hpp"
#include "threads/stopped_world.hpp"

namespace moult {

class SafeRedefineUpdate::Impl final {
 public:
  explicit Impl(std::vector<Redefinition> redefinitions) {
    for (const Redefinition& redefinition : redefinitions)
      pairs_.emplace_back(redefinition.replaced(), redefinition.replacement());
  }

  void prepare() { change_ = redefine::FunctionChange::prepare(pairs_); }
  redefine::FunctionChange& change() { return *change_; }

 private:
  std::vector<redefine::FunctionPair> pairs_;
  std::optional<redefine::FunctionChange> change_;
};

SafeRedefineUpdate::SafeRedefineUpdate(std::string name, std::vector<Redefinition> redefinitions,
                                       std::vector<ThreadId> threads)
    : Update(std::move(name), std::move(threads)), impl_(std::make_unique<Impl>(std::move(redefinitions))) {}

SafeRedefineUpdate::~SafeRedefineUpdate() = default;

void SafeRedefineUpdate::prepare() {
  impl_->prepare();
  MOULT_FAULT("recipes.safe_redefine.prepared");
}

bool SafeRedefineUpdate::wait_alterability() {
  return alterability::wait_quiescence(impl_->change().old_functions(), patience(), threads());
}

bool SafeRedefineUpdate::check_alterability() {
  return alterability::check_quiescence(impl_->change().old_functions(), patience(), threads());
}

void SafeRedefineUpdate::apply() {
  const threads::StoppedWorld* stopped = threads::current_stop();
  if (stopped == nullptr)
    throw Error(ErrorCode::invalid_argument,
                name() + ": the program was resumed before apply redefined anything; resume it in resume_hook");
  MOULT_FAULT("recipes.safe_redefine.apply");
  impl_->change().commit(*stopped, Transaction::current());
  MOULT_FAULT("recipes.safe_redefine.applied");
}

}  // namespace moult
