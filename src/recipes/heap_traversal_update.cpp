#include <chrono>
#include <optional>

#include "alterability/quiescence.hpp"
#include "base/fault.hpp"
#include "base/warning.hpp"
#include "heap/heap_traversal.hpp"
#include "moult/error.hpp"
#include "moult/heap_walker.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult {

class HeapTraversalUpdate::Impl final {
 public:
  Impl(std::shared_ptr<HeapWalker> walker, HeapTraversal options)
      : walker_(std::move(walker)), options_(std::move(options)) {
    if (!walker_) throw Error(ErrorCode::invalid_argument, "a traversal of the heap needs a walker");
  }

  void prepare() { visits_ = internal::HeapVisits::prepare(*walker_, options_); }
  internal::HeapVisits& visits() { return *visits_; }

  HeapSummary summary;

 private:
  std::shared_ptr<HeapWalker> walker_;
  HeapTraversal options_;
  std::optional<internal::HeapVisits> visits_;
};

HeapTraversalUpdate::HeapTraversalUpdate(std::string name, std::shared_ptr<HeapWalker> walker, HeapTraversal options,
                                         std::vector<ThreadId> threads)
    : Update(std::move(name), std::move(threads)),
      impl_(std::make_unique<Impl>(std::move(walker), std::move(options))) {}

HeapTraversalUpdate::~HeapTraversalUpdate() = default;

void HeapTraversalUpdate::prepare() {
  impl_->prepare();
  MOULT_FAULT("recipes.heap_traversal.prepared");
}

bool HeapTraversalUpdate::wait_alterability() {
  return internal::wait_quiescence(impl_->visits().quiescent(), patience(), {});
}

bool HeapTraversalUpdate::check_alterability() {
  return internal::check_quiescence(impl_->visits().quiescent(), patience(), {});
}

void HeapTraversalUpdate::apply() {
  const internal::StoppedWorld* stopped = internal::current_stop();
  if (stopped == nullptr)
    throw Error(ErrorCode::invalid_argument,
                name() + ": the program was resumed before apply walked over the heap; resume it in resume_hook");
  MOULT_FAULT("recipes.heap_traversal.apply");
  internal::Transaction* transaction = internal::Transaction::current();
  impl_->summary = impl_->visits().commit(*stopped, transaction);
  for (const HeapRemark& remark : impl_->summary.not_followed)
    internal::warn("not followed: " + std::to_string(remark.count) + " " + remark.what + ", first " + remark.first);
  for (const HeapRemark& remark : impl_->summary.skipped)
    internal::warn("skipped: " + std::to_string(remark.count) + " " + remark.what + ", first " + remark.first);
  MOULT_FAULT("recipes.heap_traversal.applied");
}

const HeapSummary& HeapTraversalUpdate::summary() const noexcept { return impl_->summary; }

}  // namespace moult
