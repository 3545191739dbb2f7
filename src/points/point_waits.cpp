// Static update points from the update's side: it selects threads and points, and waits.
//
// static_points.cpp is the threads' side. One update at a time is applied, but several may wait, since an inline
// manager's update waits between two probes. Each has its wait in the registry; a thread goes on when no wait wants it.
//
// The transaction records the release of the threads before the first one stays, so every end of an attempt releases
// them.
//
// Limits: nothing reports the end of a thread that is not a moult::Thread, so the wait checks every 50 ms.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/fault.hpp"
#include "base/transaction.hpp"
#include "moult/error.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "points/static_points.hpp"
#include "symbols/program.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult {
namespace {

using internal::point_registry;
using internal::PointRegistry;
using internal::PointWait;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds worth_telling{100};  ///< of waits, before the reason is set
constexpr int share_of_words = 10;          ///< the reasons may take a tenth of the probing time

internal::Transaction& transaction_of_the_step() {
  internal::Transaction* transaction = internal::Transaction::current();
  if (transaction == nullptr)
    throw Error(ErrorCode::invalid_argument,
                "static update points are waited for outside of an update's step; nobody would let the threads go");
  return *transaction;
}

void refuse_gone(const std::vector<ThreadId>& threads) {
  for (ThreadId thread : threads) {
    const internal::TaskStatus status = internal::task_status(static_cast<pid_t>(thread));
    if (status.exists && !status.is_dead) continue;
    throw Error(ErrorCode::not_found, "thread " + std::to_string(static_cast<int>(thread)) +
                                          " was to reach a static update point and has ended; name threads that run");
  }
}

void refuse_own(const std::vector<ThreadId>& threads) {
  if (std::find(threads.begin(), threads.end(), this_thread_id()) == threads.end()) return;
  throw Error(ErrorCode::invalid_argument, internal::describe_thread(this_thread_id()) +
                                               " carries the update out and cannot reach a static update point "
                                               "meanwhile; leave it out");
}

Clock::time_point end_of(const Patience& patience) { return Clock::now() + patience.sleep_time * patience.max_tries; }

std::string in_words(const std::vector<std::string>& points) {
  if (points.empty()) return "any static update point";
  std::string text = points.size() == 1 ? "static update point " : "any of the static update points ";
  for (std::size_t i = 0; i < points.size(); ++i) text += (i == 0 ? "\"" : ", \"") + points[i] + "\"";
  return text;
}

/// One look at the registry. Copies what a refusal's message needs.
struct Look {
  bool is_reached = false;
  std::vector<std::string> points;
  std::vector<ThreadId> named;
  std::vector<ThreadId> missing;
  Clock::time_point words_due{};
};

Look look(PointRegistry& registry, const internal::Transaction& owner, const Patience& patience) {
  PointWait* wait = registry.find(&owner);
  if (wait == nullptr)
    throw Error(ErrorCode::invalid_argument,
                "no threads were told to stay at static update points; call setup_wait_static_points in "
                "preupdate_setup");
  wait->driver = this_thread_id();
  wait->good_until = end_of(patience);
  if (registry.is_reached(*wait)) return {true, {}, {}, {}, {}};
  if (registry.is_deserted(*wait))
    throw Error(ErrorCode::not_found, "every moult::Thread has ended before it reached " + in_words(wait->points) +
                                          "; name a point that they come by, or threads that run");
  return {false, wait->points, wait->threads, registry.missing(*wait), wait->words_due};
}

Look look(const internal::Transaction& owner, const Patience& patience) {
  return point_registry().with([&](PointRegistry& registry) { return look(registry, owner, patience); });
}

struct Calls {
  ThreadId thread{};
  std::vector<internal::CodeAddress> innermost_first;
};

std::vector<Calls> calls_of(const std::vector<ThreadId>& threads, const Patience& patience) {
  constexpr std::size_t most_calls = 12;
  std::vector<Calls> all;
  internal::in_stopped_world({.timeout = patience.stop_timeout, .keep_out = {}}, [&](const auto& stopped) {
    for (ThreadId thread : threads) {
      std::vector<internal::CodeAddress>& calls = all.emplace_back(Calls{thread, {}}).innermost_first;
      stopped.walk(thread, [&](const internal::Frame& frame) {
        if (frame.is_precise && !internal::is_in_return_stub(frame.pc)) calls.push_back(frame.lookup_address());
        return frame.is_precise && calls.size() < most_calls;
      });
    }
  });
  return all;
}

std::string in_words(const std::vector<internal::CodeAddress>& calls, const internal::Program& program) {
  std::string text;
  for (internal::CodeAddress call : calls) {
    text += text.empty() ? ": it is in " : ", called from ";
    text += program.describe(call);
  }
  return text;
}

/// The missing threads, with their calls in progress. Stops the program for the check.
std::string explain(const Look& look, const Patience& patience) {
  MOULT_FAULT("points.static_points.explain");
  const std::vector<Calls> stacks = calls_of(look.missing, patience);
  const internal::Program program = internal::Program::of_this_process();
  std::string text;
  for (const Calls& calls : stacks)
    text += (text.empty() ? "" : "; ") + internal::describe_thread(calls.thread) + " has not reached " +
            in_words(look.points) + in_words(calls.innermost_first, program);
  return text;
}

/// The same without a stop, for status requests meanwhile.
std::string in_short(const Look& look) {
  std::string text;
  for (ThreadId thread : look.missing) text += (text.empty() ? "" : ", ") + internal::describe_thread(thread);
  return "waits for " + text + " to reach " + in_words(look.points);
}

void postpone_words(const internal::Transaction& owner, Clock::duration length) {
  point_registry().with([&](PointRegistry& registry) { registry.find(&owner)->words_due = Clock::now() + length; });
}

bool await_arrivals(const internal::Transaction& owner, Clock::time_point until) {
  return point_registry().wait_until(
      until,
      [&](PointRegistry& registry) {
        PointWait& wait = *registry.find(&owner);
        return registry.is_reached(wait) || registry.is_deserted(wait);
      },
      [](PointRegistry&, bool has_come) { return has_come; });
}

}  // namespace

void setup_wait_static_points(const StaticPoints& points) {
  internal::Transaction& transaction = transaction_of_the_step();
  MOULT_FAULT("points.static_points.setup");
  refuse_gone(points.threads);
  refuse_own(points.threads);
  transaction.on_attempt_end([owner = &transaction] { internal::end_wait(owner); });
  transaction.run_pause_on(
      [owner = &transaction](const std::function<void()>& steps) { internal::work_at_point(owner, steps); });
  internal::begin_wait({.owner = &transaction,
                        .points = points.names,
                        .threads = points.threads,
                        .driver = this_thread_id(),
                        .good_until = end_of({}),
                        .words_due = Clock::now() + worth_telling});
}

bool check_static_points_reached(const Patience& patience) {
  internal::Transaction& transaction = transaction_of_the_step();
  MOULT_FAULT("points.static_points.check");
  const Look found = look(transaction, patience);
  if (found.is_reached) return true;
  transaction.resume();
  refuse_gone(found.named);
  const Clock::time_point now = Clock::now();
  if (now >= found.words_due) {
    transaction.set_reason(explain(found, patience));
    postpone_words(transaction, (Clock::now() - now) * share_of_words);
  } else if (transaction.reason().empty()) {
    transaction.set_reason(in_short(found));
  }
  return false;
}

bool wait_static_points_reached(const Patience& patience) {
  constexpr milliseconds between_looks{50};  // for threads that have ended
  internal::Transaction& transaction = transaction_of_the_step();
  MOULT_FAULT("points.static_points.wait");
  const Clock::time_point deadline = end_of(patience);
  Clock::time_point next_word = Clock::now() + worth_telling;
  for (;;) {
    const Look found = look(transaction, patience);
    if (found.is_reached) return true;
    transaction.resume();  // so that the missing threads can come
    refuse_gone(found.named);
    const Clock::time_point now = Clock::now();
    if (now >= deadline) {
      transaction.set_reason(explain(found, patience));
      return false;
    }
    if (now >= next_word) transaction.set_reason(in_short(found));
    const auto sleep = [&](Clock::time_point until) { return await_arrivals(transaction, until); };
    if (!transaction.rest(std::min(deadline, now + between_looks), sleep)) return false;
  }
}

void clean_failed_static_points() noexcept {
  if (const internal::Transaction* transaction = internal::Transaction::current()) internal::end_wait(transaction);
}

}  // namespace moult
