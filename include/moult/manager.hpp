// Managers take updates from a queue and apply them, one at a time.
//
//   moult::ThreadedManager manager("main");                                   // a thread of its own
//   moult::UpdateHandle handle = manager.add_update(std::make_unique<MyUpdate>());
//   if (handle.wait(10s).state != moult::UpdateState::applied) ...
//
//   moult::Manager manager("loop");                                           // called by the program
//   for (;;) { manager.apply_next_update(); serve_one(); }
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// The interface of every manager. fetch_manager finds a manager by its name, from construction to destruction.
class AnyManager {
 public:
  AnyManager() = default;
  virtual ~AnyManager() = default;
  AnyManager(const AnyManager&) = delete;
  AnyManager& operator=(const AnyManager&) = delete;

  virtual const std::string& name() const noexcept = 0;
  /// Puts `update` at the queue's tail. From any thread; never waits for another update.
  virtual UpdateHandle add_update(std::unique_ptr<Update> update) = 0;
};

/// The inline manager: the program calls apply_next_update where it can stand a change, in a thread of its choice.
class Manager final : public AnyManager {
 public:
  /// `threads` is the default for updates that name none.
  ///
  /// invalid_argument: the name is taken, empty, or holds control characters
  explicit Manager(std::string name, std::vector<ThreadId> threads = {});
  ~Manager() override;

  const std::string& name() const noexcept override;
  UpdateHandle add_update(std::unique_ptr<Update> update) override;
  /// Advances at most one update. The first call sets it up and probes it. Later calls only probe, until it is applied,
  /// or its max_tries probes have failed, when it is cleaned up and postponed. Does nothing while another manager
  /// changes the program, or when called from a step of an update of this manager. Never throws what an update threw.
  void apply_next_update();

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// A manager with a thread of its own, which sleeps until an update arrives. The destructor lets the current update
/// end, aborts the queued ones, and joins.
class ThreadedManager final : public AnyManager {
 public:
  explicit ThreadedManager(std::string name, std::vector<ThreadId> threads = {});
  ~ThreadedManager() override;

  const std::string& name() const noexcept override;
  UpdateHandle add_update(std::unique_ptr<Update> update) override;
  /// Blocks until the current update, or else the first one of the queue, has ended or been postponed. Returns true at
  /// once when there is none, and false when `timeout` has passed. In a dry run it leaves the entry as
  /// UpdateHandle::wait does.
  bool wait_current_update(std::chrono::milliseconds timeout);
  /// Stops taking updates: the current one ends, queued ones are aborted. Does not block; idempotent.
  void stop();

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// A manager for one kind of update: add_update takes the update's arguments and makes it. After Pymoult's
/// generatePreconfiguredManager.
///
///   moult::PreconfiguredManager<moult::ThreadedManager, moult::SafeRedefineUpdate> manager("redefine");
///   manager.add_update("greeting", &app::greet, &greet_v2);
template <class ManagerT, class UpdateT>
class PreconfiguredManager final {
 public:
  explicit PreconfiguredManager(std::string name, std::vector<ThreadId> threads = {})
      : manager_(std::move(name), std::move(threads)) {}

  template <class... Args>
  UpdateHandle add_update(Args&&... args) {
    return manager_.add_update(std::make_unique<UpdateT>(std::forward<Args>(args)...));
  }

  ManagerT& manager() noexcept { return manager_; }

 private:
  ManagerT manager_;
};

/// The manager of that name, or null. From any thread. The pointer is valid as long as the program keeps the manager.
AnyManager* fetch_manager(std::string_view name);

/// The threaded manager of that name; if there is none, makes one that lives as long as the process. For an update's
/// entry: each load of an update is a library with static variables of its own, so a `static ThreadedManager` there
/// would claim the name again with every load. From any thread. In a dry run (`moult check`) a new manager lives until
/// the entry has returned, and is visible to that entry only.
///
/// invalid_argument: the manager of that name has no thread of its own; and as the constructor
ThreadedManager& threaded_manager(std::string_view name);

/// True when an update of that name is applied and not rolled back. From any thread.
bool is_applied(std::string_view name);

/// Undoes an applied update, as one stopped change. Withdraws an update that is still queued or was postponed. A name
/// means the newest update of that name. On an error nothing was changed.
///
///   moult::roll_back("greeting");
///
/// not_found: no such update is applied or queued
/// still_active: code that would disappear stays on a stack until `timeout`
/// thread_unstoppable: a thread did not reach a safepoint in time
/// timed_out: another change of the program lasts until `timeout`, or the update is just being applied
/// unsupported: the update recorded nothing that could be undone
/// invalid_argument: called from a step of an update
void roll_back(std::uint64_t update_id, std::chrono::milliseconds timeout = std::chrono::seconds(10));
void roll_back(std::string_view update_name, std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// Every update that this process knows, in the order of submission.
std::vector<UpdateReport> all_updates();

}  // namespace moult
#pragma GCC visibility pop
