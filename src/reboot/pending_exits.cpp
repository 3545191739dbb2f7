// Problem: a thread in a function that never returns runs its old code for ever. It can be taken out of that function
// at a static update point, which the program has chosen.
//
// Approach: the stop only schedules the exit. The released thread makes it by forced unwinding
// (unwind/forced_unwind.hpp), in its own context and while the program runs, since destructors may wait for other
// threads. Until the end of the stop the exit can be cancelled. Once the unwinding has begun it cannot: what
// destructors have released is gone.
//
// Limits: a handler that ends the unwinding, or makes its beginning impossible, shows only then. The thread goes on in
// its old code, and the update fails.
#include "reboot/pending_exits.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "base/warning.hpp"
#include "moult/error.hpp"
#include "moult/reboot.hpp"
#include "platform/tasks.hpp"
#include "points/static_points.hpp"
#include "symbols/program.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

using State = ForcedUnwind::State;

/// The scheduled exits, by update. Never destroyed: threads may end while the program ends.
struct Scheduled {
  const Transaction* transaction;
  std::shared_ptr<PendingExit> exit;
};
Guarded<std::vector<Scheduled>>& scheduled() {
  static auto* const made = new Guarded<std::vector<Scheduled>>;
  return *made;
}

std::vector<std::shared_ptr<PendingExit>> pending_exits_of(const Transaction& transaction) {
  return scheduled().with([&](const std::vector<Scheduled>& all) {
    std::vector<std::shared_ptr<PendingExit>> own;
    for (const Scheduled& one : all)
      if (one.transaction == &transaction) own.push_back(one.exit);
    return own;
  });
}

/// A thread has one pending exit at a time.
void refuse_second(const PendingExit& exit) {
  const std::string former = scheduled().with([&](const std::vector<Scheduled>& all) -> std::string {
    for (const Scheduled& one : all)
      if (one.exit->thread() == exit.thread() && one.exit->state() == State::waiting) return one.exit->call();
    return {};
  });
  if (!former.empty())
    throw Error(ErrorCode::still_active,
                describe_thread(exit.thread()) + " is told to leave " + former + " already; try again when it has");
}

/// In the list as long as the transaction knows of it.
class Entry final {
 public:
  Entry(const Transaction& transaction, std::shared_ptr<PendingExit> exit) : exit_(exit.get()) {
    scheduled().with([&](std::vector<Scheduled>& all) { all.push_back({&transaction, std::move(exit)}); });
  }
  ~Entry() {
    std::shared_ptr<PendingExit> last;  // the program's captures are destroyed outside of the lock
    scheduled().with([&](std::vector<Scheduled>& all) {
      auto own = std::find_if(all.begin(), all.end(), [this](const Scheduled& one) { return one.exit.get() == exit_; });
      last = std::move(own->exit);
      all.erase(own);
    });
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  const PendingExit* exit_;
};

/// "f(int) at a.cpp:12".
std::string place_of(CodeAddress call) { return Program::of_this_process().describe(call); }

std::string failure_text(const PendingExit& exit) {
  const std::string begin = describe_thread(exit.thread()) + " did not leave " + exit.call() + ": ";
  if (exit.state() == State::handled)
    return begin + "a handler for every exception in " + place_of(exit.last_call()) +
           " has ended the unwinding; let it throw on (throw;), or catch what is expected only";
  if (exit.was_in_a_handler())
    return begin +
           "its static update point lies in a handler (catch), and a handler for every exception is on the way out; "
           "place the point outside of the handler";
  return begin + "it was called off";
}

void require_not_gone(const PendingExit& exit) {
  const std::string thread = describe_thread(exit.thread());
  if (exit.state() == State::arrived)
    throw Error(ErrorCode::unsupported,
                thread + " has left " + exit.call() + "; its destructors have run, so that cannot be taken back");
  if (exit.state() == State::going_on)
    throw Error(ErrorCode::still_active, thread + " is on its way out of " + exit.call());
}

void call_off(PendingExit& exit) noexcept {
  exit.call_off();
  clear_pending_exit(exit.thread());
}

/// Nothing when all have arrived. Throws Error (still_active) when one never will.
std::shared_ptr<PendingExit> first_on_its_way(const Transaction& transaction) {
  for (std::shared_ptr<PendingExit>& exit : pending_exits_of(transaction)) {
    const State state = exit->state();
    if (state == State::handled || state == State::not_begun) throw Error(ErrorCode::still_active, failure_text(*exit));
    if (state != State::arrived) return std::move(exit);
  }
  return nullptr;
}

std::string waiting_text(const PendingExit& exit) {
  std::string begin = describe_thread(exit.thread()) + " has not left " + exit.call() + " yet";
  if (exit.state() != State::going_on || value(exit.last_call()) == 0) return begin;
  return begin + ": destructors or handlers run in " + place_of(exit.last_call());
}

}  // namespace

void PendingExit::on_handled() noexcept {
  try {
    warn(failure_text(*this));
  } catch (...) {
    return;  // without memory; wait_over reports it all the same
  }
}

StoppedStep require_stopped_step(const std::string& what) {
  Transaction* transaction = Transaction::current();
  const StoppedWorld* stopped = internal::current_stop();
  if (transaction == nullptr || stopped == nullptr)
    throw Error(ErrorCode::invalid_argument,
                what +
                    " only in an update's apply, when the program is stopped and the thread "
                    "stays at a static update point (setup_wait_static_points)");
  return {*stopped, *transaction};
}

void schedule_exit(const StoppedStep& step, const std::shared_ptr<PendingExit>& exit, const std::string& line) {
  refuse_second(*exit);
  MOULT_FAULT("reboot.pending_exit.record");
  auto entry = std::make_shared<Entry>(step.transaction, exit);
  step.transaction.add(
      {.what = {line}, .check = [exit] { require_not_gone(*exit); }, .undo = [exit, entry] { call_off(*exit); }});
  MOULT_FAULT("reboot.pending_exit.set");
  set_pending_exit(exit->thread(), [exit] { ForcedUnwind::begin(exit); });
}

std::shared_ptr<PendingExit> scheduled_exit(const Transaction& transaction, ThreadId thread) {
  for (std::shared_ptr<PendingExit>& exit : pending_exits_of(transaction))
    if (exit->thread() == thread && exit->state() == State::waiting) return std::move(exit);
  return nullptr;
}

}  // namespace moult::internal

namespace moult {
namespace {

internal::Transaction& transaction_of_the_step() {
  internal::Transaction* const transaction = internal::Transaction::current();
  if (transaction == nullptr)
    throw Error(ErrorCode::invalid_argument,
                "exits of threads are waited for by steps of an update: wait_over, or check_over");
  return *transaction;
}

}  // namespace

bool check_departures() {
  internal::Transaction& transaction = transaction_of_the_step();
  const std::shared_ptr<internal::PendingExit> exit = internal::first_on_its_way(transaction);
  if (exit == nullptr) return true;
  transaction.set_reason(internal::waiting_text(*exit));
  return false;
}

bool wait_departures(const Patience& patience) {
  internal::Transaction& transaction = transaction_of_the_step();
  const auto deadline = std::chrono::steady_clock::now() + patience.sleep_time * patience.max_tries;
  while (const std::shared_ptr<internal::PendingExit> exit = internal::first_on_its_way(transaction)) {
    if (exit->await(deadline)) continue;
    transaction.set_reason(internal::waiting_text(*exit));
    return false;
  }
  return true;
}

}  // namespace moult
