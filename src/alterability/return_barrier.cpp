// The calls of one moment, and when they are over.
#include "moult/return_barrier.hpp"

#include <algorithm>
#include <utility>

#include "alterability/quiescence.hpp"
#include "alterability/return_wait.hpp"
#include "base/check.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "threads/return_watch.hpp"

namespace moult {
namespace {

using Clock = std::chrono::steady_clock;
using threads::WatchedCall;

std::vector<CodeRange> code_of_functions(const std::vector<AnyFunction>& functions) {
  const symbols::Program program = symbols::Program::of_this_process();
  std::vector<alterability::FunctionExtent> extents;
  for (const AnyFunction& function : functions) extents.push_back(alterability::extent_of(program, function));
  return alterability::code_of(extents);
}

}  // namespace

class ReturnBarrier::Impl final {
 public:
  Impl(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads);
  ~Impl() {
    if (in_progress() == 0) return;
    try {
      threads::in_stopped_world({},
                                [this](const threads::StoppedWorld& stopped) { threads::end_watch(stopped, calls_); });
    } catch (const std::exception&) {
      // The calls return through their stubs, which does no harm.
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::size_t in_progress() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(calls_.begin(), calls_.end(), [](const WatchedCall& call) { return !has_returned(call); }));
  }

  bool wait(Clock::time_point deadline) {
    constexpr std::chrono::milliseconds longest_look{1000};
    std::chrono::milliseconds look_after{100};
    MOULT_CHECK(threads::current_stop() == nullptr, "the return of calls is waited for in a stopped program");
    for (Clock::time_point look = Clock::now() + look_after;;) {
      const std::uint32_t seen = threads::told_so_far();
      if (in_progress() == 0) return true;
      const Clock::time_point now = Clock::now();
      if (now >= deadline) return false;
      if (now >= look) {
        forget_those_left();
        look_after = longest_look;
        look = Clock::now() + look_after;
      }
      threads::await_return(seen, std::min(look, deadline) - now);
    }
  }

 private:
  void forget_those_left() {
    try {
      threads::in_stopped_world({}, [this](const threads::StoppedWorld& stopped) {
        std::erase_if(calls_, [&](const WatchedCall& call) {
          return threads::has_returned(call) || !threads::is_on_stack(stopped, call);
        });
      });
    } catch (const Error&) {
      // The program could not be stopped just now; the next look may be had.
    }
  }

  std::vector<WatchedCall> calls_;
};

ReturnBarrier::Impl::Impl(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads) {
  const std::vector<CodeRange> code = code_of_functions(functions);
  std::vector<ThreadId> unwatched;
  MOULT_FAULT("alterability.barrier.stop");
  threads::in_stopped_world({}, [&](const threads::StoppedWorld& stopped) {
    threads::Watch watch = threads::watch_returns(stopped, code, threads);
    if (!watch.unwatched.empty()) threads::end_watch(stopped, std::exchange(watch.calls, {}));
    calls_ = std::move(watch.calls);
    unwatched = std::move(watch.unwatched);
  });
  if (!unwatched.empty())
    throw Error(ErrorCode::unsupported,
                "a call in " + threads::describe_thread(unwatched.front()) +
                    " cannot be told of when it returns: it is this thread's own, or on a stack that is not walked "
                    "precisely; wait for quiescence instead");
}

ReturnBarrier::ReturnBarrier(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads)
    : impl_(std::make_unique<Impl>(functions, threads)) {}
ReturnBarrier::~ReturnBarrier() = default;
ReturnBarrier::ReturnBarrier(ReturnBarrier&&) noexcept = default;
ReturnBarrier& ReturnBarrier::operator=(ReturnBarrier&&) noexcept = default;

std::size_t ReturnBarrier::in_progress() const noexcept { return impl_->in_progress(); }

bool ReturnBarrier::wait(std::chrono::milliseconds timeout) { return impl_->wait(Clock::now() + timeout); }

}  // namespace moult
