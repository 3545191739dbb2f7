// A program to update that is no more than a number, and a way to stop it that only counts: the lifecycle knows nothing
// native, and so do its tests. Each test file is a program of its own and includes this once.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/event.hpp"
#include "base/guarded.hpp"
#include "base/transaction.hpp"
#include "moult/manager.hpp"

namespace moult::internal::test {

struct FakeProgram {
  std::atomic<int> version = 1;
  std::atomic<int> stops = 0;
  std::atomic<int> stopped_now = 0;
  std::atomic<int> failing_stops = 0;     ///< so many stops fail from now on
  std::atomic<bool> overlapping = false;  ///< two stops at once were seen
  std::atomic<bool> lock_held = false;    ///< a stop was requested by a thread that holds a moult lock

  void reset() {
    version = 1;
    stops = 0;
    failing_stops = 0;
    overlapping = false;
    lock_held = false;
  }
};

inline FakeProgram program;

class FakeSuspension final : public Suspension {
 public:
  FakeSuspension() {
    if (program.stopped_now.fetch_add(1) != 0) program.overlapping = true;
    ++program.stops;
  }
  ~FakeSuspension() override { --program.stopped_now; }

  std::chrono::steady_clock::time_point began() const noexcept override { return began_; }
  std::vector<std::string> thread_names() const override { return {"worker (12)", "web (13)"}; }
  std::size_t thread_count() const noexcept override { return 2; }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// What an update does in each step, and which steps were called. Shared by the test and the update; from any thread.
class Script final {
 public:
  using Action = std::function<void()>;

  std::atomic<bool> alterable = true;
  std::atomic<bool> over = true;
  std::function<Requirements()> requirements = [] { return Requirements::met; };

  void at(const std::string& step, Action action) { actions_[step] = std::move(action); }
  void reach(const std::string& step) {
    {
      std::scoped_lock lock(mutex_);
      trace_.push_back(step + (program.stopped_now > 0 ? "*" : ""));
    }
    auto action = actions_.find(step);
    if (action != actions_.end()) action->second();
  }
  /// The steps called so far; a star marks those called in a stopped program.
  std::vector<std::string> trace() const {
    std::scoped_lock lock(mutex_);
    return trace_;
  }
  int count(const std::string& step) const {
    int times = 0;
    for (const std::string& seen : trace())
      if (seen == step || seen == step + "*") ++times;
    return times;
  }

 private:
  std::map<std::string, Action> actions_;
  mutable std::mutex mutex_;
  std::vector<std::string> trace_;
};

/// Sets the program's version, as a mechanism would: recorded first, then done.
inline void set_version(int fresh, std::function<void()> check = {}) {
  int old = program.version;
  Transaction::current()->add({.what = {"version " + std::to_string(old) + " became " + std::to_string(fresh)},
                               .check = std::move(check),
                               .undo = [old] { program.version = old; }});
  program.version = fresh;
}

/// Calls its script in every step; apply makes the version 2 before that.
class ScriptedUpdate final : public Update {
 public:
  explicit ScriptedUpdate(std::shared_ptr<Script> script, std::string name = "hello")
      : Update(std::move(name)), script_(std::move(script)) {
    Patience quick;
    quick.sleep_time = std::chrono::milliseconds(2);
    set_patience(quick);
  }
  ~ScriptedUpdate() override { script_->reach("destroyed"); }

  void prepare() override { script_->reach("prepare"); }
  Requirements check_requirements() override {
    script_->reach("check_requirements");
    return script_->requirements();
  }
  void preupdate_setup() override { script_->reach("preupdate_setup"); }
  bool check_alterability() override {
    script_->reach("check_alterability");
    return script_->alterable;
  }
  void clean_failed_alterability() override { script_->reach("clean_failed_alterability"); }
  void pause_hook() override { script_->reach("pause_hook"); }
  void apply() override {
    set_version(2);
    script_->reach("apply");
  }
  void preresume_setup() override { script_->reach("preresume_setup"); }
  void resume_hook() override { script_->reach("resume_hook"); }
  bool check_over() override {
    script_->reach("check_over");
    return script_->over;
  }
  void cleanup() override { script_->reach("cleanup"); }

 private:
  std::shared_ptr<Script> script_;
};

inline std::unique_ptr<ScriptedUpdate> scripted(const std::shared_ptr<Script>& script, std::string name = "hello") {
  return std::make_unique<ScriptedUpdate>(script, std::move(name));
}

/// The lines logged since it was made.
class Listening final {
 public:
  Listening() {
    subscription_ = event_log().subscribe([this](const Event& event) {
      events_.with([&](std::vector<Event>& events) { events.push_back(event); });
      if (program.stopped_now > 0 && event.kind != EventKind::message) told_while_stopped_ = true;
    });
  }
  std::vector<Event> events() const {
    return events_.with([](const std::vector<Event>& events) { return events; });
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const Event& event : events()) all.push_back(to_text(event));
    return all;
  }
  std::vector<EventKind> kinds() const {
    std::vector<EventKind> all;
    for (const Event& event : events()) all.push_back(event.kind);
    return all;
  }
  bool told_while_stopped() const { return told_while_stopped_; }

 private:
  Guarded<std::vector<Event>> events_;
  std::atomic<bool> told_while_stopped_ = false;
  std::unique_ptr<EventLog::Subscription> subscription_;
};

enum class Kind { inline_manager, threaded_manager };

inline const char* name_of_kind(Kind kind) { return kind == Kind::inline_manager ? "Inline" : "Threaded"; }

/// One manager of either kind, named main.
class AnyKind final {
 public:
  explicit AnyKind(Kind kind) {
    if (kind == Kind::inline_manager)
      inline_ = std::make_unique<Manager>("main");
    else
      threaded_ = std::make_unique<ThreadedManager>("main");
  }

  AnyManager& manager() { return inline_ ? static_cast<AnyManager&>(*inline_) : *threaded_; }
  /// Carries the submitted updates on until `handle`'s is settled, and reports it.
  UpdateReport finish(const UpdateHandle& handle) {
    if (threaded_) return handle.wait(std::chrono::minutes(1));
    UpdateReport report = handle.report();
    while (!is_ended(report.state)) {
      inline_->apply_next_update();
      report = handle.report();
    }
    return report;
  }
  UpdateReport carry_out(std::unique_ptr<Update> update) { return finish(manager().add_update(std::move(update))); }

 private:
  std::unique_ptr<Manager> inline_;
  std::unique_ptr<ThreadedManager> threaded_;
};

}  // namespace moult::internal::test
