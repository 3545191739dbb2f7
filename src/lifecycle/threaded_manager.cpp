// The manager with a thread of its own.
//
// The queue, the current update and the request to stop share one lock. So the sleeping thread cannot overlook an
// update that is added while another one ends. And a thread that waits for the current update never finds a moment in
// which the update is neither queued nor current. An update is announced after it was queued, without the lock; the
// notification that follows takes it.
//
// The thread must go on without memory. So an update's place in the line is made when it is added, and then only moves
// from list to list.
#include <algorithm>
#include <list>
#include <stop_token>
#include <thread>

#include "base/guarded.hpp"
#include "base/own_thread.hpp"
#include "lifecycle/submission.hpp"
#include "lifecycle/update_registry.hpp"
#include "moult/manager.hpp"

namespace moult {

using internal::ChangeToken;
using internal::Deadline;
using internal::UpdateRun;

namespace {

struct Waiting {
  std::shared_ptr<UpdateRun> run;
  Deadline due{};  ///< a postponed update is not tried before then
};

/// Postponed updates are kept apart and join the queue's tail when they are due.
struct Line {
  std::list<Waiting> queue;
  std::list<Waiting> postponed;
  std::list<Waiting> current;  ///< one or none
};

bool has_due(const Line& line) {
  Deadline now = std::chrono::steady_clock::now();
  const bool is_first_ready = !line.queue.empty() && line.queue.front().run->is_announced();
  return is_first_ready ||
         std::ranges::any_of(line.postponed, [&](const Waiting& waiting) { return waiting.due <= now; });
}

Deadline next_due(const Line& line) {
  Deadline next = internal::deadline_after(std::chrono::hours(1));
  for (const Waiting& waiting : line.postponed) next = std::min(next, waiting.due);
  return next;
}

void enqueue_due(Line& line) noexcept {
  Deadline now = std::chrono::steady_clock::now();
  for (auto waiting = line.postponed.begin(); waiting != line.postponed.end();) {
    const auto next = std::next(waiting);
    if (waiting->due <= now) line.queue.splice(line.queue.end(), line.postponed, waiting);
    waiting = next;
  }
}

/// Makes the first due update the current one.
void take_due(Line& line) noexcept {
  enqueue_due(line);
  if (line.queue.empty() || !line.queue.front().run->is_announced()) return;
  line.current.splice(line.current.end(), line.queue, line.queue.begin());
}

/// The update that the manager is carrying out or will carry out next. An update that has ended may still be the
/// current one for a moment.
std::shared_ptr<UpdateRun> first_of(const Line& line) {
  if (!line.current.empty() && !line.current.front().run->record().is_settled()) return line.current.front().run;
  if (!line.queue.empty()) return line.queue.front().run;
  if (!line.postponed.empty()) return line.postponed.front().run;
  return nullptr;
}

ThreadedManager& threaded(AnyManager& manager) {
  if (auto* const threaded = dynamic_cast<ThreadedManager*>(&manager)) return *threaded;
  throw Error(
      ErrorCode::invalid_argument,
      "manager " + manager.name() + ": has no thread of its own; fetch_manager(\"" + manager.name() + "\") finds it");
}

}  // namespace

class ThreadedManager::Impl final {
 public:
  Impl(std::string name, std::vector<ThreadId> threads)
      : registration_(internal::update_registry(), std::move(name)),
        threads_(std::move(threads)),
        stopped_("its manager " + registration_.name() + " was stopped"),
        worker_(internal::start_own_thread([this] { work(); })) {}
  ~Impl() { stop(); }

  const std::string& name() const noexcept { return registration_.name(); }
  void open(ThreadedManager& manager) { registration_.publish(manager); }
  void hide() noexcept { registration_.hide(); }
  UpdateHandle add(std::unique_ptr<Update> update);
  bool wait_current(Deadline deadline);
  void stop();

 private:
  void work();
  std::shared_ptr<UpdateRun> next(const std::stop_token& stop);
  void carry_out(const std::shared_ptr<UpdateRun>& run, const std::stop_token& stop);
  void put_back(const std::shared_ptr<UpdateRun>& run, internal::RunStatus progress) noexcept;
  void turn_the_queue_away();

  internal::UpdateRegistry::Registration registration_;
  std::vector<ThreadId> threads_;
  const std::string stopped_;  ///< why updates are turned away at the end
  internal::Guarded<Line> line_;
  std::stop_source stop_;
  std::jthread worker_;
};

UpdateHandle ThreadedManager::Impl::add(std::unique_ptr<Update> update) {
  bool is_open = true;
  const auto enqueue = [&](const std::shared_ptr<UpdateRun>& run) {
    line_.with([&](Line& line) {
      is_open = !stop_.stop_requested();
      if (is_open) line.queue.push_back({run});
    });
  };
  std::shared_ptr<UpdateRun> run = internal::admit(name(), std::move(update), threads_, enqueue);
  line_.notify();
  if (!is_open) internal::turn_away(run, stopped_);
  return UpdateHandle(std::move(run));
}

void ThreadedManager::Impl::work() {
  std::stop_token stop = stop_.get_token();
  while (std::shared_ptr<UpdateRun> run = next(stop)) carry_out(run, stop);
  turn_the_queue_away();
}

std::shared_ptr<UpdateRun> ThreadedManager::Impl::next(const std::stop_token& stop) {
  for (;;) {
    Deadline deadline = line_.with(next_due);
    std::shared_ptr<UpdateRun> run = line_.wait_until(
        deadline, [&](const Line& line) { return stop.stop_requested() || has_due(line); },
        [&](Line& line, bool) -> std::shared_ptr<UpdateRun> {
          if (!stop.stop_requested()) take_due(line);
          return line.current.empty() ? nullptr : line.current.front().run;
        });
    if (run != nullptr || stop.stop_requested()) return run;
  }
}

void ThreadedManager::Impl::carry_out(const std::shared_ptr<UpdateRun>& run, const std::stop_token& stop) {
  internal::ChangeArbiter& arbiter = internal::update_registry().arbiter();
  ChangeToken token;
  while (!token && !stop.stop_requested())
    token = arbiter.take(internal::deadline_after(std::chrono::hours(1)), [&] { return stop.stop_requested(); });
  internal::RunStatus progress = internal::RunStatus::ended;
  if (token) {
    progress = run->carry_out(arbiter, std::move(token));
  } else {
    run->abort(arbiter, stopped_);
  }
  if (progress == internal::RunStatus::ended) internal::update_registry().update_ended(run);
  put_back(run, progress);
}

/// After an update was applied, postponed updates that may have waited for it are due at once.
void ThreadedManager::Impl::put_back(const std::shared_ptr<UpdateRun>& run, internal::RunStatus progress) noexcept {
  bool is_applied = run->record().state() == UpdateState::applied;
  line_.with([&](Line& line) {
    if (is_applied)
      for (Waiting& waiting : line.postponed) waiting.due = {};
    line.current.front().due = internal::deadline_after(run->sleep_time());
    if (progress == internal::RunStatus::postponed) line.postponed.splice(line.postponed.end(), line.current);
    line.current.clear();
  });
}

void ThreadedManager::Impl::turn_the_queue_away() {
  Line left;
  line_.with([&](Line& line) { std::swap(left, line); });
  left.queue.splice(left.queue.end(), left.postponed);
  for (const Waiting& waiting : left.queue) internal::turn_away(waiting.run, stopped_);
}

bool ThreadedManager::Impl::wait_current(Deadline deadline) {
  std::uint64_t seen = 0;
  std::shared_ptr<UpdateRun> run = line_.with([&](const Line& line) {
    std::shared_ptr<UpdateRun> first = first_of(line);
    if (first != nullptr) seen = first->record().attempts();
    return first;
  });
  return run == nullptr || run->record().wait_for_attempt(seen, deadline);
}

void ThreadedManager::Impl::stop() {
  line_.with([&](const Line&) { stop_.request_stop(); });
  line_.notify();
  internal::update_registry().arbiter().wake();
}

ThreadedManager::ThreadedManager(std::string name, std::vector<ThreadId> threads)
    : impl_(std::make_unique<Impl>(std::move(name), std::move(threads))) {
  impl_->open(*this);
}

ThreadedManager::~ThreadedManager() { impl_->hide(); }

const std::string& ThreadedManager::name() const noexcept { return impl_->name(); }

UpdateHandle ThreadedManager::add_update(std::unique_ptr<Update> update) { return impl_->add(std::move(update)); }

bool ThreadedManager::wait_current_update(std::chrono::milliseconds timeout) {
  const internal::Submission* const dry_run = internal::Submission::dry_run();
  if (dry_run != nullptr && !dry_run->handles().empty()) throw internal::DryRunLeft{"manager " + name()};
  return impl_->wait_current(internal::deadline_after(timeout));
}

void ThreadedManager::stop() { impl_->stop(); }

ThreadedManager& threaded_manager(std::string_view name) {
  // Never destroyed: there is no moment at which the last update is known to have left its manager.
  static auto* const made_here = new internal::Guarded<std::vector<std::unique_ptr<ThreadedManager>>>;
  return made_here->with([&](auto& made) -> ThreadedManager& {
    if (AnyManager* const found = fetch_manager(name)) return threaded(*found);
    auto manager = std::make_unique<ThreadedManager>(std::string(name));
    if (internal::Submission* const dry_run = internal::Submission::dry_run()) return dry_run->keep(std::move(manager));
    return *made.emplace_back(std::move(manager));
  });
}

}  // namespace moult
