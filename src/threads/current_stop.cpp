#include "threads/current_stop.hpp"

#include <memory>
#include <utility>

#include "base/transaction.hpp"
#include "moult/error.hpp"

namespace moult::internal {

const StoppedWorld* current_stop() noexcept {
  Transaction* transaction = Transaction::current();
  return transaction == nullptr ? nullptr : dynamic_cast<const StoppedWorld*>(transaction->suspension());
}

void require_short_reading(const std::string& call, const std::string& next_step,
                           const std::function<std::size_t()>& bytes, std::size_t most) {
  constexpr std::size_t megabyte = 1U << 20U;
  const std::size_t size = current_stop() != nullptr ? bytes() : 0;
  if (size <= most) return;
  throw Error(ErrorCode::unsupported, call + " reads " + std::to_string(size / megabyte) +
                                          " MB of debug information, for which the program would stand still; " +
                                          next_step);
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
