#include "threads/current_stop.hpp"

#include <memory>
#include <utility>

#include "base/transaction.hpp"

namespace moult::internal {

const StoppedWorld* current_stop() noexcept {
  Transaction* transaction = Transaction::current();
  return transaction == nullptr ? nullptr : dynamic_cast<const StoppedWorld*>(transaction->suspension());
}

void in_stopped_world(const StopOptions& options, const std::function<void(const StoppedWorld&)>& act) {
  if (const StoppedWorld* stopped = current_stop()) return act(*stopped);
  std::unique_ptr<StoppedWorld> stopped = StoppedWorld::stop(options);
  Transaction* transaction = Transaction::current();
  if (transaction == nullptr) return act(*stopped);
  const StoppedWorld& held = *stopped;
  transaction->hold(std::move(stopped));
  try {
    act(held);
  } catch (...) {
    transaction->resume();
    throw;
  }
  transaction->resume();
}

}  // namespace moult::internal

namespace moult::internal {

std::unique_ptr<internal::Suspension> suspend_program(std::chrono::milliseconds timeout) {
  return internal::StoppedWorld::stop({.timeout = timeout, .keep_out = {}});
}

}  // namespace moult::internal
