// The way into a manager: what add_update does in all of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lifecycle/update_run.hpp"

namespace moult::internal {

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
