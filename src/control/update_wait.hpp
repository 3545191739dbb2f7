// The wait of an `update` request for the updates that its file has submitted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "moult/update.hpp"
#include "protocol/request.hpp"

namespace moult::internal {

/// Receives the notices of a request in progress, in the thread that carries the request out.
using Tell = std::function<void(const std::string& notice)>;

/// An update request, which can be withdrawn by its key from construction to destruction.
class WithdrawableRequest final {
 public:
  /// An empty key names nothing. Throws Error (invalid_argument): another request in progress has that key.
  explicit WithdrawableRequest(std::string key);
  ~WithdrawableRequest();
  WithdrawableRequest(const WithdrawableRequest&) = delete;
  WithdrawableRequest& operator=(const WithdrawableRequest&) = delete;

  /// An update that its file's entry submits: it is withdrawn with the request, also while the entry runs.
  void add(std::uint64_t update) const;
  bool is_withdrawn() const;
  /// What the updates that it had submitted waited for when it was withdrawn.
  std::vector<UpdateReport> before_withdrawal() const;

 private:
  std::string key_;
};

/// The updates of the request with that key are withdrawn, and its wait ends. Does not wait for that. Throws Error
/// (not_found): no update request in progress has that key.
void withdraw_request(const WithdrawRequest& request);

struct UpdateWait {
  const UpdateRequest& request;
  const WithdrawableRequest& withdrawable;
  std::chrono::steady_clock::time_point deadline;
  const std::stop_token& stop;  ///< ends the wait, and not the updates
  Tell tell;                    ///< may be empty
};

struct WaitOutcome {
  std::vector<UpdateReport> reports;
  bool withdrawn = false;  ///< updates were withdrawn; their reports have code timed_out, and what they had waited for
};

/// Waits until all have ended, or as `wait` says. Then withdraws those that are not applied, if the request says so or
/// was withdrawn. An update that is changing the program at that time gets a few seconds more to end.
WaitOutcome wait_for_updates(const std::vector<UpdateHandle>& updates, const UpdateWait& wait);

/// Why `update`, which is queued or active, is not applied yet: what it waits for, or which other one of `all` is in
/// front of it and what that one waits for.
std::string obstacle_of(const UpdateReport& update, const std::vector<UpdateReport>& all);

}  // namespace moult::internal
