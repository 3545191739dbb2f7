// Waits for the returns of calls in progress.
//
// A round: stop the program, find the active calls, watch them, let the program run, and sleep until the last watched
// call has returned or a probe is due. Some returns are not reported (see watch_returns; longjmp; tail calls). If a
// call cannot be watched, the wait probes as often as a wait for quiescence does, otherwise rarely.
#include "alterability/return_barrier.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "alterability/quiescence.hpp"
#include "base/check.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "moult/return_barrier.hpp"
#include "platform/tasks.hpp"
#include "threads/current_stop.hpp"
#include "watch/return_watch.hpp"

namespace moult::internal {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// The time until the first probe for a call that longjmp has left, and until the update's reason is first set.
constexpr milliseconds first_look{100};

/// When to probe without a reported return.
class Probes final {
 public:
  explicit Probes(const Patience& patience) : sleep_time_(patience.sleep_time) {}

  Clock::time_point next(bool all_watched) {
    milliseconds& delay = all_watched ? rare_ : frequent_;
    const milliseconds now = std::min(delay, sleep_time_);
    delay = std::min(delay * (all_watched ? 10 : 2), sleep_time_);
    return Clock::now() + now;
  }

 private:
  milliseconds sleep_time_;
  milliseconds frequent_{1};
  milliseconds rare_{first_look};
};

/// Describing an activity may take a tenth of the waiting time.
class Reasons final {
 public:
  void tell(Transaction& transaction, const Activity& activity, bool is_last) {
    constexpr int share = 10;
    const Clock::time_point now = Clock::now();
    if (!is_last && now < next_) return;
    transaction.set_reason(explain(activity));
    next_ = Clock::now() + std::max<Clock::duration>(first_look, (Clock::now() - now) * share);
  }

 private:
  Clock::time_point next_ = Clock::now() + first_look;
};

}  // namespace

ReturnWait::ReturnWait(std::vector<FunctionExtent> functions, std::vector<ThreadId> threads)
    : functions_(std::move(functions)), code_(code_of(functions_)), threads_(std::move(threads)) {}

void ReturnWait::end(const StoppedWorld& stopped) noexcept {
  end_watch(stopped, watch_.calls);
  watch_.calls.clear();
  watch_.unwatched.clear();
  watch_.unwinding.clear();
}

/// True when every active call is watched and one of them has not returned.
bool ReturnWait::is_one_pending() const noexcept {
  return watch_.is_complete() && !std::all_of(watch_.calls.begin(), watch_.calls.end(), has_returned);
}

std::optional<Activity> ReturnWait::probe(const Patience& patience, Rest rest) {
  Transaction& transaction = transaction_of_the_step();
  if (internal::current_stop() == nullptr) {
    MOULT_FAULT("alterability.return.stop");
    transaction.hold(StoppedWorld::stop({.timeout = patience.stop_timeout, .keep_out = {}}));
  }
  const StoppedWorld& stopped = *internal::current_stop();
  MOULT_FAULT("alterability.return.look");
  std::optional<Activity> activity = find_activity(stopped, functions_, code_, threads_);
  // Start the new watch first: a call in both watches keeps its stub.
  Watch now;
  if (activity && rest == Rest::watch) now = internal::watch_returns(stopped, code_, threads_);
  end(stopped);
  watch_ = std::move(now);
  if (activity) transaction.resume();
  return activity;
}

bool ReturnWait::wait(const Patience& patience) {
  const Clock::time_point deadline = Clock::now() + patience.sleep_time * patience.max_tries;
  Probes probes(patience);
  Reasons reasons;
  for (;;) {
    const bool is_last = Clock::now() >= deadline;
    const std::optional<Activity> activity = probe(patience, is_last ? Rest::end : Rest::watch);
    if (!activity) return true;
    const Clock::time_point look = std::min(deadline, probes.next(watch_.is_complete()));
    reasons.tell(transaction_of_the_step(), *activity, is_last);
    if (is_last) return false;
    const auto sleep = [this](Clock::time_point until) {
      const std::uint32_t seen = returns_so_far();
      if (watch_.is_complete() && !is_one_pending()) return true;
      await_return(seen, until - Clock::now());
      return watch_.is_complete() && !is_one_pending();
    };
    if (!transaction_of_the_step().rest(look, sleep)) return false;
  }
}

bool ReturnWait::check(const Patience& patience) {
  if (is_one_pending() && Clock::now() < next_look_ && internal::current_stop() == nullptr) return false;
  next_look_ = Clock::now() + patience.sleep_time;
  const std::optional<Activity> activity = probe(patience, Rest::watch);
  if (activity) transaction_of_the_step().set_reason(explain(*activity));
  return !activity;
}

}  // namespace moult::internal

namespace moult {

bool wait_return_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience,
                              const std::vector<ThreadId>& threads) {
  internal::ReturnWait wait(internal::extents_of_versions(functions), threads);
  return wait.wait(patience);
}

bool wait_return_of_function(const AnyFunction& function, const Patience& patience,
                             const std::vector<ThreadId>& threads) {
  return wait_return_of_functions({function}, patience, threads);
}

}  // namespace moult

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
  std::vector<ThreadId> unwinding_;  ///< threads that are unwinding; their calls can be watched, or are over, shortly
  std::vector<ThreadId> unwatched_;
};

ReturnBarrier::Impl::Impl(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads)
    : code_(code_of_functions(functions)) {
  MOULT_FAULT("alterability.barrier.stop");
  // Some places, as in the middle of an exception's unwinding, cannot be walked precisely for a few instructions only.
  // A thread has passed them when the program is stopped again.
  constexpr int attempts = 10;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    internal::in_stopped_world({}, [&](const internal::StoppedWorld& stopped) {
      watch(stopped, threads);
      if (!unwatched_.empty()) internal::end_watch(stopped, std::exchange(calls_, {}));
    });
    if (unwatched_.empty()) return;
    if (std::find(unwatched_.begin(), unwatched_.end(), this_thread_id()) != unwatched_.end())
      throw Error(
          ErrorCode::unsupported,
          "this thread's own call cannot be told of when it returns: it would wait for itself; make the barrier "
          "in another thread");
    if (internal::current_stop() != nullptr) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw Error(ErrorCode::unsupported, "a call in " + internal::describe_thread(unwatched_.front()) +
                                          " cannot be told of when it returns: it is on a stack that is not walked "
                                          "precisely; wait for quiescence instead");
}

ReturnBarrier::Impl::~Impl() {
  if (in_progress() == 0) return;
  try {
    internal::in_stopped_world({},
                               [this](const internal::StoppedWorld& stopped) { internal::end_watch(stopped, calls_); });
  } catch (const std::exception&) {
    // The calls return through their stubs, which is harmless.
  }
}

void ReturnBarrier::Impl::watch(const internal::StoppedWorld& stopped, const std::vector<ThreadId>& threads) {
  internal::Watch watch = internal::watch_returns(stopped, code_, threads);
  calls_.insert(calls_.end(), watch.calls.begin(), watch.calls.end());
  unwinding_ = std::move(watch.unwinding);
  unwatched_ = std::move(watch.unwatched);
}

/// Drops the calls that longjmp has left, and watches calls that could not be watched before.
void ReturnBarrier::Impl::look_again() {
  try {
    internal::in_stopped_world({}, [this](const internal::StoppedWorld& stopped) {
      std::erase_if(calls_, [&](const WatchedCall& call) {
        return internal::has_returned(call) || !internal::is_on_stack(stopped, call);
      });
      if (!unwinding_.empty()) watch(stopped, std::exchange(unwinding_, {}));
      // These calls cannot be watched now, and have no stub. The next probe checks them again.
      unwinding_.insert(unwinding_.end(), unwatched_.begin(), unwatched_.end());
    });
  } catch (const Error&) {
    // The program could not be stopped this time; the next probe may succeed.
  }
}

bool ReturnBarrier::Impl::wait(Clock::time_point deadline) {
  using std::chrono::milliseconds;
  constexpr milliseconds for_longjmp{1000};
  constexpr milliseconds for_unwinding{2};
  MOULT_CHECK(internal::current_stop() == nullptr, "the return of calls is waited for in a stopped program");
  milliseconds look_after{100};
  for (Clock::time_point look = Clock::now() + (unwinding_.empty() ? look_after : for_unwinding);;) {
    const std::uint32_t seen = internal::returns_so_far();
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
