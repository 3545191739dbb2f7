// Managers take updates from a queue and carry them out, one at a time.
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

/// What every manager can do. A manager is known by its name from construction to destruction (fetch_manager).
class AnyManager {
 public:
  AnyManager() = default;
  virtual ~AnyManager() = default;
  AnyManager(const AnyManager&) = delete;
  AnyManager& operator=(const AnyManager&) = delete;

  virtual const std::string& name() const noexcept = 0;
  /// Puts `update` at the queue's tail. From any thread; never blocks on an update being applied.
  virtual UpdateHandle add_update(std::unique_ptr<Update> update) = 0;
};

/// The inline manager: the program calls apply_next_update where it can stand a change, in a thread of its own.
class Manager final : public AnyManager {
 public:
  /// `threads` are the default for updates that name none. Throws Error (invalid_argument) when the name is taken,
  /// empty, or holds control characters.
  explicit Manager(std::string name, std::vector<ThreadId> threads = {});
  ~Manager() override;

  const std::string& name() const noexcept override;
  UpdateHandle add_update(std::unique_ptr<Update> update) override;
  /// Advances at most one update: sets the first one up and probes it; later calls only probe, until it is applied or
  /// its max_tries probes have failed, when it is cleaned up and postponed. Does nothing while another manager is
  /// changing the program, and when called from a step of an update of this manager. Never throws what an update threw.
  void apply_next_update();

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// A manager with a thread of its own, which sleeps until an update comes. Destruction lets the update in hand end,
/// marks those still queued aborted, and joins.
class ThreadedManager final : public AnyManager {
 public:
  explicit ThreadedManager(std::string name, std::vector<ThreadId> threads = {});
  ~ThreadedManager() override;

  const std::string& name() const noexcept override;
  UpdateHandle add_update(std::unique_ptr<Update> update) override;
  /// Blocks until the update in hand, or else the first of the queue, has ended or been postponed; true at once when
  /// there is none, false when `timeout` has passed. In a dry run it leaves the entry as UpdateHandle::wait does.
  bool wait_current_update(std::chrono::milliseconds timeout);
  /// Takes no further update: the one in hand ends, queued ones are aborted. Does not block; idempotent.
  void stop();

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// A manager for one kind of update: add_update takes the update's arguments and builds it.
/// After Pymoult's generatePreconfiguredManager.
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

/// The manager of that name, or null. From any thread. The pointer is good for as long as the program keeps that
/// manager.
AnyManager* fetch_manager(std::string_view name);

/// The threaded manager of that name; where there is none, a new one that lives as long as the process. What an
/// update's entry uses: each load of an update is a library of its own with static variables of its own, so a `static
/// ThreadedManager` there would want the name anew with every load. From any thread. In a dry run (`moult check`) a new
/// one lives until the entry has returned, and nobody else sees it. Throws Error (invalid_argument) when a manager of
/// that name has no thread of its own, and as the constructor does.
ThreadedManager& threaded_manager(std::string_view name);

/// True when an update of that name is in force (applied and not rolled back). From any thread.
bool is_applied(std::string_view name);

/// Takes an applied update back, as one stopped change; one that still waits for its turn, or was postponed, is
/// withdrawn. By name: the newest of those. Throws Error: not_found when no such update is in force or waits,
/// still_active when code that would go away stays on a stack until `timeout`, thread_unstoppable, timed_out when
/// another change of the program lasts until then or the update is just being carried out, unsupported when the update
/// recorded nothing that could be taken back, invalid_argument from a step of an update. Nothing was changed then.
void roll_back(std::uint64_t update_id, std::chrono::milliseconds timeout = std::chrono::seconds(10));
void roll_back(std::string_view update_name, std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// Every update this process knows of, in the order they were handed in.
std::vector<UpdateReport> all_updates();

}  // namespace moult
#pragma GCC visibility pop
