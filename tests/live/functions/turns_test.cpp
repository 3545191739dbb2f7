// Updates that wait, each by one of moult's waits, and others that need not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

#include "moult/alterability.hpp"
#include "moult/manager.hpp"
#include "moult/return_barrier.hpp"
#include "moult/static_point_update.hpp"
#include "moult/thread.hpp"
#include "moult/updates.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;
using testing::HasSubstr;

std::counting_semaphore<> inside{0};
std::counting_semaphore<> leave{0};
std::atomic<bool> ends = false;

MOULT_UPDATABLE int stays() {
  inside.release();
  leave.acquire();
  return 1;
}
MOULT_UPDATABLE int stays_two() { return 2; }
MOULT_UPDATABLE int other() { return 1; }
MOULT_UPDATABLE int other_two() { return 2; }
MOULT_UPDATABLE int other_three() { return 3; }

/// Waits until nobody is in `stays`, for longer than any test takes.
class Waiting final : public Update {
 public:
  enum class By { probes, quiescence, return_of_calls, forced_quiescence, static_point };

  Waiting(By by, ThreadId thread) : Update("waiting"), by_(by), thread_(thread) {
    set_patience({.max_tries = 3600, .sleep_time = 1s, .stop_timeout = 20s, .max_postponements = 0});
  }
  void prepare() override { ++preparations; }
  void preupdate_setup() override {
    if (by_ == By::forced_quiescence) setup_force_quiescence({stays}, patience());
    if (by_ == By::static_point) setup_wait_static_points({.names = {"behind"}, .threads = {thread_}});
  }
  bool check_alterability() override { return check_quiescence_of_function(stays, patience()); }
  bool wait_alterability() override {
    switch (by_) {
      case By::probes: return Update::wait_alterability();
      case By::quiescence: return wait_quiescence_of_function(stays, patience());
      case By::return_of_calls: return wait_return_of_function(stays, patience());
      case By::forced_quiescence: return wait_force_quiescence(patience());
      case By::static_point: return wait_static_points_reached(patience());
    }
    return false;
  }
  void clean_failed_alterability() override {
    if (by_ == By::forced_quiescence) clean_failed_force_quiescence();
    if (by_ == By::static_point) clean_failed_static_points();
  }
  void apply() override { redefine_function(stays, stays_two); }

  static inline std::atomic<int> preparations = 0;

 private:
  By by_;
  ThreadId thread_;
};

class AWaitingUpdate : public testing::TestWithParam<Waiting::By> {
 protected:
  AWaitingUpdate() {
    Waiting::preparations = 0;
    ends = false;
    inside.acquire();
    waiting_.emplace(threaded_manager("waits").add_update(std::make_unique<Waiting>(GetParam(), thread_.id())));
  }
  ~AWaitingUpdate() override {
    ends = true;
    if (is_inside_) leave.release();
  }
  void let_out() {
    is_inside_ = false;
    leave.release();
  }
  /// Until a wait has told what it waits for.
  void await_reason() const {
    while (waiting_->report().reason.empty()) std::this_thread::yield();
  }

  bool is_inside_ = true;
  Thread thread_{"subject", [] {
                   stays();
                   while (!ends) static_update_point("behind");  // it is missed while the update begins again
                 }};
  std::optional<UpdateHandle> waiting_;
};

TEST_P(AWaitingUpdate, HoldsUpNoOther) {
  await_reason();
  const auto apply_other = [](auto fresh) {
    return threaded_manager("goes on")
        .add_update(std::make_unique<SafeRedefineUpdate>("other", other, fresh))
        .wait(60s);
  };
  for (int round = 0; round < 3; ++round) {
    const UpdateReport done = apply_other(round % 2 == 0 ? other_two : other_three);
    ASSERT_EQ(done.state, UpdateState::applied) << done.reason;
    ASSERT_EQ(waiting_->report().state, UpdateState::active);
  }
  let_out();
  const UpdateReport report = waiting_->wait(60s);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_GT(Waiting::preparations, 1) << "what it had prepared may be wrong by now";
  EXPECT_EQ(stays(), 2);
  roll_back(report.id);
}

TEST_P(AWaitingUpdate, IsWithdrawnAtOnce) {
  await_reason();
  const auto begin = std::chrono::steady_clock::now();
  roll_back(waiting_->id());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s) << "ten times what is promised";
  const UpdateReport report = waiting_->report();
  EXPECT_EQ(report.state, UpdateState::aborted);
  EXPECT_THAT(report.reason, HasSubstr("withdrawn"));
  ends = true;
  let_out();
  thread_.join();
  std::jthread late([] {
    inside.acquire();
    leave.release();
  });
  EXPECT_EQ(stays(), 1);
}

std::string name_of(const testing::TestParamInfo<Waiting::By>& each) {
  switch (each.param) {
    case Waiting::By::probes: return "Probes";
    case Waiting::By::quiescence: return "Quiescence";
    case Waiting::By::return_of_calls: return "ReturnOfCalls";
    case Waiting::By::forced_quiescence: return "ForcedQuiescence";
    case Waiting::By::static_point: return "StaticPoint";
  }
  return {};
}
INSTANTIATE_TEST_SUITE_P(Waits, AWaitingUpdate,
                         testing::Values(Waiting::By::probes, Waiting::By::quiescence, Waiting::By::return_of_calls,
                                         Waiting::By::forced_quiescence, Waiting::By::static_point),
                         name_of);

}  // namespace subject
}  // namespace moult
