// The calls of one moment, and when they are over.
#include "moult/return_barrier.hpp"

#include <algorithm>
#include <utility>

#include "alterability/quiescence.hpp"
#include "alterability/return_wait.hpp"
#include "base/check.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "threads/current_stop.hpp"
#include "watch/return_watch.hpp"

namespace moult {
namespace {

using Clock = std::chrono::steady_clock;
using internal::WatchedCall;

std::vector<internal::CodeRange> code_of_functions(const std::vector<AnyFunction>& functions) {
  const internal::Program program = internal::Program::of_this_process();
  std::vector<internal::FunctionExtent> extents;
  for (const AnyFunction& function : functions) extents.push_back(internal::extent_of(program, function));
  return internal::code_of(extents);
}

}  // namespace

class ReturnBarrier::Impl final {
 public:
  Impl(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::size_t in_progress() const noexcept {
    return unwinding_.size() +
           static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(),
                                                  [](const WatchedCall& call) { return !has_returned(call); }));
  }
  bool wait(Clock::time_point deadline);

 private:
  void watch(const internal::StoppedWorld& stopped, const std::vector<ThreadId>& threads);
  void look_again();

  std::vector<internal::CodeRange> code_;
  std::vector<WatchedCall> calls_;
  std::vector<ThreadId> unwinding_;  ///< whose calls can be watched, or are over, in a moment
  std::vector<ThreadId> unwatched_;
};

ReturnBarrier::Impl::Impl(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads)
    : code_(code_of_functions(functions)) {
  MOULT_FAULT("alterability.barrier.stop");
  internal::in_stopped_world({}, [&](const internal::StoppedWorld& stopped) {
    watch(stopped, threads);
    if (!unwatched_.empty()) internal::end_watch(stopped, std::exchange(calls_, {}));
  });
  if (!unwatched_.empty())
    throw Error(ErrorCode::unsupported,
                "a call in " + internal::describe_thread(unwatched_.front()) +
                    " cannot be told of when it returns: it is this thread's own, or on a stack that is not walked "
                    "precisely; wait for quiescence instead");
}

ReturnBarrier::Impl::~Impl() {
  if (in_progress() == 0) return;
  try {
    internal::in_stopped_world({},
                               [this](const internal::StoppedWorld& stopped) { internal::end_watch(stopped, calls_); });
  } catch (const std::exception&) {
    // The calls return through their stubs, which does no harm.
  }
}

void ReturnBarrier::Impl::watch(const internal::StoppedWorld& stopped, const std::vector<ThreadId>& threads) {
  internal::Watch watch = internal::watch_returns(stopped, code_, threads);
  calls_.insert(calls_.end(), watch.calls.begin(), watch.calls.end());
  unwinding_ = std::move(watch.unwinding);
  unwatched_ = std::move(watch.unwatched);
}

/// Forgets the calls that longjmp has left, and watches those that could not be watched before.
void ReturnBarrier::Impl::look_again() {
  try {
    internal::in_stopped_world({}, [this](const internal::StoppedWorld& stopped) {
      std::erase_if(calls_, [&](const WatchedCall& call) {
        return internal::has_returned(call) || !internal::is_on_stack(stopped, call);
      });
      if (!unwinding_.empty()) watch(stopped, std::exchange(unwinding_, {}));
      // What cannot be watched now could be for a while: no stub is left. It is looked at again.
      unwinding_.insert(unwinding_.end(), unwatched_.begin(), unwatched_.end());
    });
  } catch (const Error&) {
    // The program could not be stopped just now; the next look may be had.
  }
}

bool ReturnBarrier::Impl::wait(Clock::time_point deadline) {
  using std::chrono::milliseconds;
  constexpr milliseconds for_longjmp{1000};
  constexpr milliseconds for_unwinding{2};
  MOULT_CHECK(internal::current_stop() == nullptr, "the return of calls is waited for in a stopped program");
  milliseconds look_after{100};
  for (Clock::time_point look = Clock::now() + (unwinding_.empty() ? look_after : for_unwinding);;) {
    const std::uint32_t seen = internal::told_so_far();
    if (in_progress() == 0) return true;
    const Clock::time_point now = Clock::now();
    if (now >= deadline) return false;
    if (now >= look) {
      look_again();
      look_after = unwinding_.empty() ? for_longjmp : for_unwinding;
      look = Clock::now() + look_after;
      continue;
    }
    internal::await_return(seen, std::min(look, deadline) - now);
  }
}

ReturnBarrier::ReturnBarrier(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads)
    : impl_(std::make_unique<Impl>(functions, threads)) {}
ReturnBarrier::~ReturnBarrier() = default;
ReturnBarrier::ReturnBarrier(ReturnBarrier&&) noexcept = default;
ReturnBarrier& ReturnBarrier::operator=(ReturnBarrier&&) noexcept = default;

std::size_t ReturnBarrier::in_progress() const noexcept { return impl_->in_progress(); }

bool ReturnBarrier::wait(std::chrono::milliseconds timeout) { return impl_->wait(Clock::now() + timeout); }

}  // namespace moult
