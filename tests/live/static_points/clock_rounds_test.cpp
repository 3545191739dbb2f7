// The tutorial's clock (step 3, exercise 3) with shortened sleeps, many times: no run has a tic with another tac.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "moult/relinking.hpp"
#include "moult/static_points.hpp"
#include "moult/thread.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

std::vector<std::string> trace;
std::atomic<std::size_t> sounds{0};

void sound(const char* text) {
  trace.emplace_back(text);
  ++sounds;
}
MOULT_UPDATABLE void tic() { sound("tic"); }
MOULT_UPDATABLE void tac() { sound("tac"); }
void tic_two() { sound("tic2"); }
void tac_two() { sound("tac2"); }

void run_clock(const std::atomic<bool>& ends) {
  while (!ends) {
    static_update_point("before tic");
    tic();
    std::this_thread::sleep_for(100us);
    tac();
    std::this_thread::sleep_for(100us);
  }
}

class ClockUpdate final : public Update {
 public:
  ClockUpdate() : Update("clock", {get_thread_by_name("clock")}) {}
  void preupdate_setup() override { setup_wait_static_points({.names = {"before tic"}, .threads = threads()}); }
  bool wait_alterability() override { return wait_static_points_reached(patience()); }
  void clean_failed_alterability() override { clean_failed_static_points(); }
  void apply() override {
    redefine_function(tic, tic_two);
    redefine_function(tac, tac_two);
  }
};

void await_sounds(std::size_t more) {
  for (const std::size_t before = sounds; sounds < before + more;) std::this_thread::sleep_for(50us);
}

/// In pairs, from some pair on of the new version.
void expect_whole_pairs() {
  bool is_new = false;
  ASSERT_EQ(trace.size() % 2, 0u);
  for (std::size_t i = 0; i < trace.size(); i += 2) {
    is_new = is_new || trace[i] == "tic2";
    ASSERT_EQ(trace[i], is_new ? "tic2" : "tic") << "pair " << i / 2;
    ASSERT_EQ(trace[i + 1], is_new ? "tac2" : "tac") << "pair " << i / 2;
  }
  EXPECT_TRUE(is_new);
}

TEST(ClockRounds, NoTicIsFollowedByATacOfTheOtherVersion) {
  set_log_level(LogLevel::none);
  ThreadedManager manager("clock");
  const int runs = std::getenv("MOULT_SOAK") != nullptr ? 1000 : 50;
  for (int run = 0; run < runs && !testing::Test::HasFailure(); ++run) {
    std::atomic<bool> ends{false};
    trace.clear();
    UpdateReport report;
    {
      Thread clock("clock", [&ends] { run_clock(ends); });
      await_sounds(3);
      report = manager.add_update(std::make_unique<ClockUpdate>()).wait(60s);
      await_sounds(3);
      ends = true;
    }
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
    expect_whole_pairs();
    roll_back(report.id, 60s);
  }
}

}  // namespace subject
}  // namespace moult
