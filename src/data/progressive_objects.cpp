#include <chrono>
#include <memory>
#include <utility>

#include "base/direct_change.hpp"
#include "base/transaction.hpp"
#include "data/class_pools.hpp"
#include "data/progressive_access.hpp"
#include "moult/progressive_access.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::detail {
namespace {

void record(const std::shared_ptr<data::ProgressiveAccess>& access) {
  Transaction* const transaction = Transaction::current();
  if (transaction == nullptr) return;
  UndoStep step;
  step.what = {access->describe()};
  step.undo = [access] { access->end(); };
  transaction->add(std::move(step));
}

}  // namespace

ProgressiveObjects::ProgressiveObjects(const data::Pool& own, const Enumeration& options, Visit visit) {
  require_changes_are_made("a progressive access");
  const bool is_visit = visit != nullptr;
  auto access = std::make_shared<data::ProgressiveAccess>(own.class_pools().object_class, options, std::move(visit));
  access->reserve();
  threads::in_stopped_world({.timeout = options.timeout, .keep_out = {}}, [&](const threads::StoppedWorld& stopped) {
    access->begin(stopped);
    try {
      if (is_visit) record(access);
    } catch (...) {
      access->end();
      throw;
    }
  });
  access_ = std::move(access);
}

AccessProgress ProgressiveObjects::progress() const noexcept {
  return access_ == nullptr ? AccessProgress{} : access_->progress();
}

void* ProgressiveObjects::next(std::chrono::steady_clock::time_point deadline) const { return access_->next(deadline); }

void* ProgressiveObjects::take() const { return access_->take(); }

void ProgressiveObjects::drain(std::chrono::milliseconds timeout) const {
  if (access_ != nullptr) access_->finish(timeout);
}

void ProgressiveObjects::cease() const noexcept {
  if (access_ != nullptr) access_->end();
}

}  // namespace moult::detail

moult::AccessVisit::AccessVisit(const data::Pool& own, const Enumeration& options, std::function<void(void*)> visit)
    : ProgressiveObjects(own, options, std::move(visit)) {}
