#include "convert/conversion_workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/fault.hpp"
#include "platform/tasks.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace {

using namespace std::chrono_literals;

TEST(ConversionWorkers, AllTakePartInAStopAndRunWaitsForAll) {
  ConversionWorkers workers(4);
  EXPECT_EQ(workers.size(), 4u);
  const auto stopped = StoppedWorld::stop({.timeout = 20s, .keep_out = {}});
  for (int round = 0; round < 100; ++round) {
    std::atomic<unsigned> seen{0};
    workers.run([&](std::size_t number) { seen |= 1u << number; });
    ASSERT_EQ(seen, 0b1111u);
  }
}

TEST(ConversionWorkers, TheyRunAtOnce) {
  ConversionWorkers workers(3);
  const auto stopped = StoppedWorld::stop({.timeout = 20s, .keep_out = {}});
  std::atomic<int> arrived{0};
  workers.run([&](std::size_t) {
    ++arrived;
    while (arrived < 3) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 3);
}

TEST(ConversionWorkers, WorkersMadeInAStoppedProgramHelpToo) {
  const auto stopped = StoppedWorld::stop({.timeout = 20s, .keep_out = {}});
  ConversionWorkers workers(2);
  std::atomic<int> calls{0};
  workers.run([&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 2);
}

TEST(ConversionWorkers, OneWorkerIsTheCaller) {
  ConversionWorkers workers(1);
  pid_t task = 0;
  workers.run([&](std::size_t) { task = own_task(); });
  EXPECT_EQ(task, own_task());
}

TEST(ConversionWorkers, TheProgramCanBeStoppedWhileTheySleepAndWhileTheyEnd) {
  for (int round = 0; round < 20; ++round) {
    auto workers = std::make_unique<ConversionWorkers>(3);
    StoppedWorld::stop({.timeout = 20s, .keep_out = {}});
    std::jthread ending([&] { workers.reset(); });
    StoppedWorld::stop({.timeout = 20s, .keep_out = {}});
  }
}

}  // namespace
}  // namespace moult::internal
