// What this process knows: its managers by name, its updates by id, and whose turn it is to change the program.
//
// Updates that are waiting, active or in force are kept whole; of those that came to nothing or were taken back only
// the report is kept, the latest thousand. So a program that runs for a year does not grow with what it refused.
#pragma once

#include <cstdint>
#include <deque>
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

/// Every member may be called from any thread. Its lock is taken before that of a run's record, never after.
class UpdateRegistry final {
 public:
  static constexpr std::size_t kept_reports = 1000;

  /// A manager's name, held from construction to destruction. One made in a dry run (submission.hpp) takes no name, but
  /// is refused like any other when the name is taken.
  class Registration final {
   public:
    /// Throws Error (invalid_argument) when the name is taken, empty, or holds control characters.
    Registration(UpdateRegistry& registry, std::string name);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

    const std::string& name() const noexcept { return name_; }
    /// From now on `fetch_manager` finds it: call it when the manager is ready for use.
    void publish(AnyManager& manager);
    /// From now on it does not; the name stays taken. Call it before the manager is dismantled.
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
                                 const std::vector<ThreadId>& default_threads);
  /// Call it when an update has ended: lets it go, but for its report, unless it has left something in force.
  void update_ended(const std::shared_ptr<UpdateRun>& run);

  bool is_applied(std::string_view name) const;
  std::vector<UpdateReport> reports() const;
  std::optional<UpdateReport> report(std::uint64_t id) const;

  /// The newest update of that name that is in force or waits for its turn. Throws Error (not_found).
  std::uint64_t newest(std::string_view name) const;
  /// As moult::roll_back.
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
  bool withdraw(const std::shared_ptr<UpdateRun>& run);
  void roll_back(const std::shared_ptr<UpdateRun>& run, std::chrono::milliseconds timeout);

  Guarded<Data> data_;
  ChangeArbiter arbiter_;
};

/// The process's registry. Never destroyed: what is in force stays in force to the end of the process.
UpdateRegistry& update_registry();

struct Admission {
  std::shared_ptr<UpdateRun> run;
  /// False in a dry run: it has been checked and is not to be queued.
  bool to_queue = true;
};

/// Registers `update` for the manager of that name, or checks it in a dry run (submission.hpp), and tells the calling
/// thread's submission. Throws Error (invalid_argument) when there is no update.
Admission admit(const std::string& manager, std::unique_ptr<Update> update,
                const std::vector<ThreadId>& default_threads);

/// The manager will not carry it out.
void turn_away(const std::shared_ptr<UpdateRun>& run, const std::string& reason);

}  // namespace moult::internal
