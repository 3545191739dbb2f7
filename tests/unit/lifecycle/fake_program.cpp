// The stop that the lifecycle asks for, as the tests' program has it.
#include "fake_program.hpp"

#include "base/own_thread.hpp"

namespace moult::internal {

std::unique_ptr<Suspension> suspend_program(std::chrono::milliseconds) {
  using test::program;
  if (lock_use().held != 0) program.lock_held = true;
  if (program.failing_stops > 0) {
    --program.failing_stops;
    throw Error(ErrorCode::thread_unstoppable, "worker (12) stays in malloc; try again later");
  }
  return std::make_unique<test::FakeSuspension>();
}

/// This program has no stop signal, and its managers' threads keep the mask of their creator.
OwnThreadSignals::OwnThreadSignals() noexcept { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
OwnThreadSignals::~OwnThreadSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace moult::internal
