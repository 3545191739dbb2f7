// Updates at static points, one after the other, while threads go round, begin, end, are detached and get other names.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "moult/static_point_update.hpp"
#include "moult/thread.hpp"

namespace moult {
namespace {

using namespace std::chrono_literals;

int times(int usual, int soaking) { return std::getenv("MOULT_SOAK") != nullptr ? soaking : usual; }

/// What the updates change: two numbers that are one more each time, with all threads at their points.
struct Version {
  std::atomic<long> first{0};
  std::atomic<long> second{0};
};

/// Threads that look at the version all through each round. Between two points it must stay as it is.
class Rounds final {
 public:
  explicit Rounds(int count) {
    for (int i = 0; i < count; ++i) threads_.emplace_back("round " + std::to_string(i), [this, i] { go_round(i); });
  }
  ~Rounds() { ends_ = true; }

  Version version;
  long torn() const { return torn_; }
  long rounds_of(std::size_t thread) const { return rounds_.at(thread); }
  /// Each thread has gone round since: none of them sleeps on.
  void await_a_round_of_each() const {
    for (std::size_t i = 0; i < threads_.size(); ++i)
      for (const long before = rounds_.at(i); rounds_.at(i) == before;) std::this_thread::yield();
  }

 private:
  void go_round(int number) {
    std::minstd_rand random(static_cast<unsigned>(number));
    while (!ends_) {
      static_update_point("round");
      const long here = version.first;
      for (unsigned steps = random() % 4; steps > 0; --steps) std::this_thread::yield();
      if (version.first != here || version.second != here) ++torn_;
      ++rounds_.at(static_cast<std::size_t>(number));
    }
  }

  std::atomic<bool> ends_{false};
  std::atomic<long> torn_{0};
  std::array<std::atomic<long>, 8> rounds_{};
  std::vector<Thread> threads_;  // the last: their destructors join
};

/// Counts the version up. Now and then it throws half-way, and takes back itself what it did.
class CountUp final : public StaticPointUpdate {
 public:
  CountUp(Version& version, bool throws) : StaticPointUpdate("count", {"round"}), version_(version), throws_(throws) {
    set_patience({.max_tries = 600, .sleep_time = 100ms, .stop_timeout = 20s, .max_postponements = {}});
  }
  void apply() override {
    ++version_.first;
    if (throws_) {
      --version_.first;
      throw std::runtime_error("half-way");
    }
    ++version_.second;
  }

 private:
  Version& version_;
  bool throws_;
};

class PointRounds : public testing::Test {
 protected:
  PointRounds() { set_log_level(LogLevel::none); }
};

TEST_F(PointRounds, NoThreadSleepsOnAndNonePassesAPointThatItIsToStayAt) {
  const int updates = times(2'000, 100'000);
  Rounds rounds(8);
  ThreadedManager manager("rounds");
  for (int i = 0; i < updates; ++i) {
    const bool throws = i % 16 == 15;
    const UpdateReport report = manager.add_update(std::make_unique<CountUp>(rounds.version, throws)).wait(60s);
    ASSERT_EQ(report.state, throws ? UpdateState::failed : UpdateState::applied) << report.reason;
    if (i % 100 == 99) rounds.await_a_round_of_each();
  }
  EXPECT_EQ(rounds.version.second, updates - updates / 16);
  EXPECT_EQ(rounds.torn(), 0);
}

TEST_F(PointRounds, WhileThreadsBeginEndAreDetachedAndGetOtherNames) {
  const int updates = times(500, 20'000);
  std::atomic<int> detached{0};
  Rounds rounds(3);
  std::jthread changes([&](const std::stop_token& token) {
    auto short_life = [&rounds] {
      for (int i = 0; i < 3; ++i) {
        static_update_point("round");
        const long here = rounds.version.first;
        std::this_thread::yield();
        EXPECT_EQ(rounds.version.second, here);
      }
    };
    while (!token.stop_requested()) {
      Thread one("short", short_life);
      one.rename("renamed");
      ++detached;
      Thread("detached", [&] {
        short_life();
        --detached;
      }).detach();
      const std::jthread foreign([] { static_update_point("round"); });
      one.join();
    }
  });
  ThreadedManager manager("beginnings");
  for (int i = 0; i < updates; ++i) {
    const UpdateReport report = manager.add_update(std::make_unique<CountUp>(rounds.version, false)).wait(60s);
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  }
  changes.request_stop();
  changes.join();
  while (detached > 0) std::this_thread::yield();
  EXPECT_EQ(rounds.torn(), 0);
}

}  // namespace
}  // namespace moult
