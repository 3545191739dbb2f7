// The process's managers by name, its updates by id, and the change token.
//
// Updates that are waiting, active or applied are kept whole. Of those that were refused, failed without changes, were
// aborted or were rolled back only the report is kept, for the last thousand. So refused updates do not make a
// long-running program grow.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.hpp"
#include "lifecycle/change_token.hpp"
#include "lifecycle/update_run.hpp"
#include "moult/manager.hpp"

namespace moult::internal {

/// Puts an update into its manager's queue. Called under the registry's lock, so that the queue is in the order of the
/// updates' ids: it locks the queue alone and calls nothing of the program's.
using Enqueue = std::function<void(const std::shared_ptr<UpdateRun>&)>;

/// Every member may be called from any thread. Its lock is taken before the lock of a run's record, never after.
class UpdateRegistry final {
 public:
  static constexpr std::size_t kept_reports = 1000;

  /// Holds a manager's name from construction to destruction. In a dry run (submission.hpp) it takes no name, but is
  /// refused like any other if the name is taken.
  class Registration final {
   public:
    /// Throws Error (invalid_argument) if the name is taken, empty, or holds control characters.
    Registration(UpdateRegistry& registry, std::string name);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

    const std::string& name() const noexcept { return name_; }
    /// From now on `fetch_manager` finds the manager. Call it when the manager is ready for use.
    void publish(AnyManager& manager);
    /// From now on `fetch_manager` does not find it; the name stays taken. Call it before the manager is dismantled.
    void hide() noexcept;

   private:
    UpdateRegistry& registry_;
    std::string name_;
    bool of_dry_run_;
  };

  AnyManager* manager(std::string_view name) const;
  std::vector<std::string> manager_names() const;

  /// Gives the update its id and keeps it.
  std::shared_ptr<UpdateRun> add(const std::string& manager, std::unique_ptr<Update> update,
                                 const std::vector<ThreadId>& default_threads, const Enqueue& enqueue);
  /// Call it when an update has ended. Keeps the whole update if a change of it is left, otherwise only the report.
  void update_ended(const std::shared_ptr<UpdateRun>& run) noexcept;

  bool is_applied(std::string_view name) const;
  std::vector<UpdateReport> reports() const;
  std::optional<UpdateReport> report(std::uint64_t id) const;

  /// The newest update of that name that is applied or waits for its turn. Throws Error (not_found).
  std::uint64_t newest(std::string_view name) const;
  /// The updates that have changed the program, the last change first.
  std::vector<std::uint64_t> applied() const;
  /// Updates that are waiting or active, in the order of submission.
  std::vector<std::uint64_t> unsettled() const;
  /// Has the update end without a change of the program. One that waits ends soon; one that is changing the program, or
  /// has, goes on. Does not wait for its end, and does nothing if there is no such update.
  void withdraw(std::uint64_t id);
  /// See moult::roll_back.
  void roll_back(std::uint64_t id, std::chrono::milliseconds timeout);
  void roll_back(std::string_view name, std::chrono::milliseconds timeout);

  ChangeArbiter& arbiter() noexcept { return arbiter_; }

 private:
  struct Data {
    std::map<std::string, AnyManager*, std::less<>> managers;
    std::uint64_t last_id = 0;
    std::map<std::uint64_t, std::shared_ptr<UpdateRun>> runs;
    std::deque<UpdateReport> ended;
  };
  std::vector<std::shared_ptr<UpdateRun>> runs() const;
  std::shared_ptr<UpdateRun> find(std::uint64_t id) const;
  bool withdraw(const std::shared_ptr<UpdateRun>& run);
  bool withdraw_active(const std::shared_ptr<UpdateRun>& run, Deadline deadline);
  void roll_back(const std::shared_ptr<UpdateRun>& run, std::chrono::milliseconds timeout);

  Guarded<Data> data_;
  ChangeArbiter arbiter_;
};

/// The process's registry. Never destroyed: applied updates stay applied to the end of the process.
UpdateRegistry& update_registry();

/// Registers `update` for the manager `manager` and queues it or, in a dry run (submission.hpp), checks it. Then
/// records it in the calling thread's submission and announces it: the manager is to be woken after that. Throws Error
/// (invalid_argument) if there is no update.
std::shared_ptr<UpdateRun> admit(const std::string& manager, std::unique_ptr<Update> update,
                                 const std::vector<ThreadId>& default_threads, const Enqueue& enqueue);

/// Aborts an update that its manager will not carry out.
void turn_away(const std::shared_ptr<UpdateRun>& run, const std::string& reason);

}  // namespace moult::internal
