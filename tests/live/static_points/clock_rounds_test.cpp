// The tutorial's clock (step 3, exercise 3) with shortened sleeps, many times: no run has a tic with another tac.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "code/patch.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "moult/relinking.hpp"
#include "moult/static_points.hpp"
#include "moult/thread.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

std::vector<std::string> trace;
std::atomic<std::size_t> sounds{0};

void sound(const char* text) {
  trace.emplace_back(text);
  ++sounds;
  sounds.notify_all();
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

/// Both functions, from below the updates: redefine_function would read symbols each time.
class Change final {
 public:
  void commit(const StoppedWorld& stopped) { patch_.commit(stopped); }
  void take_back() {
    patch_.finish();
    patch_.prepare_revert();
    in_stopped_world({.timeout = 20s, .keep_out = patch_.keep_out()},
                     [this](const StoppedWorld& stopped) { patch_.revert(stopped); });
    patch_.finish();
  }

 private:
  static PatchTarget target(const char* name, void (*old_function)(), void (*fresh)()) {
    return {name, *unwind_entry_at(address_of(old_function)), address_of(fresh), {}};
  }
  static CodeAddress address_of(void (*function)()) { return CodeAddress{reinterpret_cast<std::uintptr_t>(function)}; }

  std::array<PatchTarget, 2> targets_{target("tic", tic, tic_two), target("tac", tac, tac_two)};
  Patch patch_ = Patch::prepare(targets_);
};

class ClockUpdate final : public Update {
 public:
  explicit ClockUpdate(Change& change) : Update("clock", {get_thread_by_name("clock")}), change_(change) {}
  void preupdate_setup() override { setup_wait_static_points({.names = {"before tic"}, .threads = threads()}); }
  bool wait_alterability() override { return wait_static_points_reached(patience()); }
  void clean_failed_alterability() override { clean_failed_static_points(); }
  void apply() override { change_.commit(*internal::current_stop()); }

 private:
  Change& change_;
};

void await_sounds(std::size_t more) {
  std::size_t heard = sounds;
  for (const std::size_t last = heard + more; heard < last; heard = sounds) sounds.wait(heard);
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
  const int runs = std::getenv("MOULT_SOAK") != nullptr ? 1000 : 100;
  for (int run = 0; run < runs && !testing::Test::HasFailure(); ++run) {
    std::atomic<bool> ends{false};
    trace.clear();
    UpdateReport report;
    Change change;
    {
      Thread clock("clock", [&ends] { run_clock(ends); });
      await_sounds(3);
      report = manager.add_update(std::make_unique<ClockUpdate>(change)).wait(60s);
      await_sounds(3);
      ends = true;
    }
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
    expect_whole_pairs();
    change.take_back();
  }
}

}  // namespace subject
}  // namespace moult::internal
