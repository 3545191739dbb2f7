// Static update points at which no thread can be awaited, or that no thread reaches.
#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <thread>
#include <utility>

#include "moult/manager.hpp"
#include "moult/static_points.hpp"
#include "moult/thread.hpp"
#include "platform/tasks.hpp"
#include "refusal.hpp"

namespace static_points {

using namespace std::chrono_literals;
using moult::ErrorCode;
using moult::StaticPoints;
using moult::Thread;
using moult::ThreadId;
using moult::UpdateReport;
using moult::UpdateState;

/// Waits for its points with a given number of postponements, and applies nothing.
class Waits final : public moult::Update {
 public:
  explicit Waits(StaticPoints points, std::function<void()> meanwhile = {})
      : Update("waits"), points_(std::move(points)), meanwhile_(std::move(meanwhile)) {
    set_patience({.max_tries = 20, .sleep_time = 10ms, .stop_timeout = 20s, .max_postponements = 0});
  }
  void preupdate_setup() override {
    moult::setup_wait_static_points(points_);
    if (meanwhile_) meanwhile_();
  }
  bool wait_alterability() override { return moult::wait_static_points_reached(patience()); }
  void apply() override {}

 private:
  StaticPoints points_;
  std::function<void()> meanwhile_;
};

UpdateReport carry_out(std::unique_ptr<moult::Update> update) {
  return moult::threaded_manager("limits").add_update(std::move(update)).wait(60s);
}

void expect_failed(const UpdateReport& report, ErrorCode code, const std::vector<std::string>& words) {
  EXPECT_EQ(report.state, UpdateState::failed) << report.reason;
  EXPECT_EQ(report.code, code) << report.reason;
  for (const std::string& word : words) EXPECT_THAT(report.reason, testing::HasSubstr(word));
}

/// With a frame of its own.
__attribute__((noinline)) void stay_away(std::latch& may_go_on) {
  may_go_on.wait();
  asm volatile("");  // prevents a jump to the last callee
}

TEST(StaticPoints, APointThatIsNotReachedInTimeIsReportedWithTheThreadAndItsPlace) {
  std::latch may_go_on(1);
  std::atomic<bool> goes_round{true};
  Thread away("away", [&] { stay_away(may_go_on); });
  Thread round("round", [&goes_round] {
    while (goes_round) moult::static_update_point("top");
  });
  const UpdateReport report =
      carry_out(std::make_unique<Waits>(StaticPoints{.names = {"top", "bottom"}, .threads = {}}));
  expect_failed(report, ErrorCode::alterability,
                {"away (" + std::to_string(static_cast<int>(away.id())) +
                     ") has not reached any of the static update points "
                     "\"top\", \"bottom\": it is in ",
                 "called from static_points::stay_away(std::latch&) at "});
  EXPECT_THAT(report.reason, testing::Not(testing::HasSubstr("round (")));
  goes_round = false;
  round.join();  // it was released
  may_go_on.count_down();
}

TEST(StaticPoints, APointThatNobodyPassesIsNotReached) {
  std::atomic<bool> goes_round{true};
  Thread round("round", [&goes_round] {
    while (goes_round) moult::static_update_point("top");
  });
  expect_failed(carry_out(std::make_unique<Waits>(StaticPoints{.names = {"misspelt"}, .threads = {}})),
                ErrorCode::alterability, {"round (", "has not reached static update point \"misspelt\": it is in "});
  goes_round = false;
}

TEST(StaticPoints, AThreadThatIsGoneIsRefused) {
  ThreadId gone{};
  std::thread([&gone] { gone = moult::this_thread_id(); }).join();
  while (moult::internal::task_status(static_cast<pid_t>(gone)).exists) std::this_thread::yield();
  expect_failed(
      carry_out(std::make_unique<Waits>(StaticPoints{.names = {}, .threads = {gone}})), ErrorCode::not_found,
      {"thread " + std::to_string(static_cast<int>(gone)) + " was to reach a static update point and has ended"});
}

TEST(StaticPoints, AThreadThatEndsWhileItIsAwaitedIsReported) {
  std::latch may_end(1);
  Thread ends("ends", [&may_end] { may_end.wait(); });
  const std::string number = std::to_string(static_cast<int>(ends.id()));
  auto end_it = [&] {
    may_end.count_down();
    ends.join();
  };
  expect_failed(carry_out(std::make_unique<Waits>(StaticPoints{.names = {}, .threads = {ends.id()}}, end_it)),
                ErrorCode::not_found, {"thread " + number + " was to reach a static update point and has ended"});
}

TEST(StaticPoints, AnUpdateForWhichEveryThreadOfMoultsHasEndedIsRefused) {
  std::latch may_end(1);
  Thread ends("ends", [&may_end] { may_end.wait(); });
  auto end_it = [&] {
    may_end.count_down();
    ends.join();
  };
  expect_failed(carry_out(std::make_unique<Waits>(StaticPoints{.names = {"misspelt"}, .threads = {}}, end_it)),
                ErrorCode::not_found,
                {"every moult::Thread has ended before it reached static update point \"misspelt\"; name a point that "
                 "they come by"});
}

TEST(StaticPoints, WithoutNamesThereMustBeAThreadOfMoults) {
  expect_failed(carry_out(std::make_unique<Waits>(StaticPoints{})), ErrorCode::not_found,
                {"no moult::Thread that could reach a static update point", "name the threads to wait for"});
}

TEST(StaticPoints, TheThreadThatCarriesTheUpdateOutIsNotWaitedFor) {
  moult::Manager manager("inline");
  const moult::UpdateHandle handle =
      manager.add_update(std::make_unique<Waits>(StaticPoints{.names = {}, .threads = {moult::this_thread_id()}}));
  // Another manager may hold the change token for a moment.
  while (handle.report().state == UpdateState::queued) manager.apply_next_update();
  expect_failed(handle.report(), ErrorCode::invalid_argument, {"carries the update out", "leave it out"});
}

TEST(StaticPoints, OneUpdateWaitsOnceInAnAttempt) {
  std::latch may_end(1);
  Thread thread("one", [&may_end] { may_end.wait(); });
  auto again = [] { moult::setup_wait_static_points({}); };
  expect_failed(carry_out(std::make_unique<Waits>(StaticPoints{}, again)), ErrorCode::invalid_argument,
                {"waits for threads at static update points already", "name all points in one call"});
  may_end.count_down();
}

class WaitsForNothing final : public moult::Update {
 public:
  WaitsForNothing() : Update("waits for nothing") {}
  bool wait_alterability() override { return moult::wait_static_points_reached(); }
  void apply() override {}
};

TEST(StaticPoints, WhatWasNotSetUpIsNotWaitedFor) {
  expect_failed(carry_out(std::make_unique<WaitsForNothing>()), ErrorCode::invalid_argument,
                {"call setup_wait_static_points in preupdate_setup"});
}

TEST(StaticPoints, OutsideOfAnUpdateNobodyWouldLetTheThreadsGo) {
  limits::expect_error(ErrorCode::invalid_argument, {"outside of an update's step"},
                       [] { moult::setup_wait_static_points({}); });
}

}  // namespace static_points
