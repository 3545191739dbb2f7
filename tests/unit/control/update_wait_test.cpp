#include "control/update_wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "moult/manager.hpp"

namespace moult::internal {
namespace {

UpdateReport report(std::uint64_t id, const std::string& name, const std::string& manager, UpdateState state,
                    const std::string& reason = {}) {
  UpdateReport report;
  report.id = id;
  report.name = name;
  report.manager = manager;
  report.state = state;
  report.reason = reason;
  return report;
}

TEST(Obstacle, OfAnActiveUpdateIsWhatItWaitsFor) {
  const UpdateReport active = report(1, "hello", "main", UpdateState::active, "hello() is active in worker (12)");
  EXPECT_EQ(obstacle_of(active, {active}), "hello: not applied yet: hello() is active in worker (12)");
}

TEST(Obstacle, OfAQueuedUpdateIsTheOneThatItsManagerIsCarryingOut) {
  const UpdateReport stuck = report(1, "stuck", "main", UpdateState::active, "f() is active in worker (12)");
  const UpdateReport others = report(2, "quick", "other", UpdateState::active);
  const UpdateReport mine = report(3, "mine", "main", UpdateState::queued);
  EXPECT_EQ(obstacle_of(mine, {stuck, others, mine}),
            "mine: waits behind stuck (update 1) of manager main, which waits: f() is active in worker (12); "
            "`moult rollback` with its id 1 withdraws that one");
}

TEST(Obstacle, OfAQueuedUpdateMayBeAnotherManagersChange) {
  const UpdateReport others = report(2, "long", "other", UpdateState::active);
  const UpdateReport mine = report(3, "mine", "main", UpdateState::queued);
  EXPECT_THAT(obstacle_of(mine, {others, mine}),
              testing::StartsWith("mine: waits behind long (update 2) of manager other, which is being carried out"));
}

TEST(Obstacle, OfAPostponedUpdateIsTheReason) {
  UpdateReport mine = report(3, "mine", "main", UpdateState::queued, "f() is active");
  mine.postponements = 2;
  EXPECT_EQ(obstacle_of(mine, {mine}), "mine: not applied yet, 2 times postponed: f() is active");
}

TEST(WithdrawableRequest, IsKnownByItsKeyWhileItIsInProgress) {
  const WithdrawableRequest other("other");
  {
    const WithdrawableRequest request("mine");
    EXPECT_FALSE(request.is_withdrawn());
    withdraw_request({"mine"});
    EXPECT_TRUE(request.is_withdrawn());
    EXPECT_THROW(WithdrawableRequest("mine"), Error);
  }
  EXPECT_THROW(withdraw_request({"mine"}), Error);
  EXPECT_FALSE(other.is_withdrawn());
}

class Waiting final : public Update {
 public:
  Waiting() : Update("waiting") {}
  void apply() override {}
};

/// A manager that carries nothing out, and the wait for an update of it.
class UpdateWaitTest : public testing::Test {
 protected:
  WaitOutcome wait_until(std::chrono::steady_clock::time_point deadline) {
    const WithdrawableRequest withdrawable(request_.key);
    if (!request_.key.empty()) withdraw_request({request_.key});
    return wait_for_updates(
        {update_},
        {.request = request_, .withdrawable = withdrawable, .deadline = deadline, .stop = stop_, .tell = {}});
  }

  Manager manager_{"main"};
  UpdateHandle update_ = manager_.add_update(std::make_unique<Waiting>());
  UpdateRequest request_{.path = "/update.so"};
  std::stop_token stop_;
};

TEST_F(UpdateWaitTest, WithdrawsWhatIsNotAppliedInTime) {
  request_.keep_trying = false;
  const WaitOutcome outcome = wait_until(std::chrono::steady_clock::now());
  EXPECT_TRUE(outcome.withdrawn);
  EXPECT_EQ(outcome.reports.at(0).state, UpdateState::aborted);
  EXPECT_EQ(outcome.reports.at(0).code, ErrorCode::timed_out);
  EXPECT_EQ(update_.report().state, UpdateState::aborted);
}

TEST_F(UpdateWaitTest, LeavesAnUpdateToItsManagerIfTheSenderWantsThat) {
  const WaitOutcome outcome = wait_until(std::chrono::steady_clock::now());
  EXPECT_FALSE(outcome.withdrawn);
  EXPECT_EQ(outcome.reports.at(0).state, UpdateState::queued);
}

TEST_F(UpdateWaitTest, EndsWhenTheRequestIsWithdrawn) {
  request_.key = "mine";
  const WaitOutcome outcome = wait_until(std::chrono::steady_clock::now() + std::chrono::hours(1));
  EXPECT_TRUE(outcome.withdrawn);
  EXPECT_EQ(outcome.reports.at(0).state, UpdateState::aborted);
}

}  // namespace
}  // namespace moult::internal
