#include "base/fault.hpp"
#include "functions/function_change.hpp"
#include "moult/updates.hpp"
#include "recipes/quiescent_change.hpp"

namespace moult {

class SafeRedefineUpdate::Impl final {
 public:
  explicit Impl(const std::vector<Redefinition>& redefinitions) {
    for (const Redefinition& redefinition : redefinitions)
      pairs_.emplace_back(redefinition.replaced(), redefinition.replacement());
  }

  void prepare(const std::vector<ThreadId>& threads) {
    change_.prepare(internal::FunctionChange::prepare(pairs_), threads);
  }
  internal::QuiescentChange& change() { return change_; }

 private:
  std::vector<internal::FunctionPair> pairs_;
  internal::QuiescentChange change_;
};

// By value: a reference would match worse than the template.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
SafeRedefineUpdate::SafeRedefineUpdate(std::string name, std::vector<Redefinition> redefinitions,
                                       std::vector<ThreadId> threads)
    : Update(std::move(name), std::move(threads)), impl_(std::make_unique<Impl>(redefinitions)) {}

SafeRedefineUpdate::~SafeRedefineUpdate() = default;

void SafeRedefineUpdate::prepare() {
  impl_->prepare(threads());
  MOULT_FAULT("recipes.safe_redefine.prepared");
}

bool SafeRedefineUpdate::wait_alterability() { return impl_->change().wait(patience(), threads()); }

bool SafeRedefineUpdate::check_alterability() { return impl_->change().check(patience(), threads()); }

void SafeRedefineUpdate::apply() {
  MOULT_FAULT("recipes.safe_redefine.apply");
  impl_->change().apply(name(), threads());
  MOULT_FAULT("recipes.safe_redefine.applied");
}

}  // namespace moult
