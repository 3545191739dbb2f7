#include <chrono>
#include <memory>
#include <utility>

#include "base/opaque.hpp"
#include "base/transaction.hpp"
#include "base/untracked_change.hpp"
#include "convert/progressive_access.hpp"
#include "moult/progressive_access.hpp"
#include "pools/class_pools.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::detail::inline MOULT_ABI_NAMESPACE {
namespace {

void record(const std::shared_ptr<internal::ProgressiveAccess>& access) {
  internal::Transaction* const transaction = internal::Transaction::current();
  if (transaction == nullptr) return;
  internal::UndoStep step;
  step.what = {access->describe()};
  step.undo = [access] { access->end(); };
  transaction->add(std::move(step));
}

internal::ProgressiveAccess& known(OpaqueProgressiveAccess& access) noexcept {
  return internal::behind<internal::ProgressiveAccess>(access);
}

}  // namespace

ProgressiveObjects::ProgressiveObjects(const OpaquePool& own, const Enumeration& options, Visit visit, Caller caller) {
  internal::require_changes_are_made("a progressive access");
  const bool is_visit = visit != nullptr;
  auto access = std::make_shared<internal::ProgressiveAccess>(
      internal::behind<internal::Pool>(own).class_pools().object_class, options,
      is_visit ? internal::ProgressiveAccess::Visit{internal::CodeRecord(internal::CodeUse::called_later,
                                                                         {caller.module}),
                                                    std::move(visit)}
               : internal::ProgressiveAccess::Visit{});
  access->reserve();
  internal::in_stopped_world({.timeout = options.timeout, .keep_out = {}}, [&](const internal::StoppedWorld& stopped) {
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
  return access_ == nullptr ? AccessProgress{} : known(*access_).progress();
}

void* ProgressiveObjects::next(std::chrono::steady_clock::time_point deadline) const {
  return known(*access_).next(deadline);
}

void* ProgressiveObjects::take() const { return known(*access_).take(); }

void ProgressiveObjects::drain(std::chrono::milliseconds timeout) const {
  if (access_ != nullptr) known(*access_).finish(timeout);
}

void ProgressiveObjects::cease() const noexcept {
  if (access_ != nullptr) known(*access_).end();
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE

moult::AccessVisit::AccessVisit(const detail::OpaquePool& own, const Enumeration& options,
                                std::function<void(void*)> visit, detail::Caller caller)
    : ProgressiveObjects(own, options, std::move(visit), caller) {}
