// Conversion of all objects in one stop: when it may be made, by how many threads, and what the program does with the
// objects then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fault.hpp"
#include "base/progress.hpp"
#include "moult/data_update.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

struct Leaf : Updatable<Leaf, 64> {
  explicit Leaf(std::uint64_t wanted) : number(wanted) {}
  MOULT_UPDATABLE void rest(const std::atomic<bool>& goes_on, std::atomic<bool>& is_there) const;
  std::uint64_t number;
};
void Leaf::rest(const std::atomic<bool>& goes_on, std::atomic<bool>& is_there) const {
  is_there = true;
  while (!goes_on) std::this_thread::yield();
}
struct LeafTwo : Updatable<LeafTwo> {
  explicit LeafTwo(const Leaf& old) : number(old.number), name("leaf " + std::to_string(number)) { ++made; }
  LeafTwo(LeafTwo&& other) noexcept : number(other.number), name(std::move(other.name)) { ++made; }
  ~LeafTwo() { --made; }
  static inline std::atomic<long> made{0};
  std::uint64_t number;
  std::string name;
};

Leaf to_one(const LeafTwo& now) { return Leaf(now.number); }
const LeafTwo& as_two(const Leaf& leaf) { return reinterpret_cast<const LeafTwo&>(leaf); }

class Eagerly : public testing::Test {
 protected:
  Eagerly() {
    set_log_level(LogLevel::none);
    LeafTwo::made = 0;
  }
  void make(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) leaves.push_back(std::make_unique<Leaf>(i));
  }
  void expect_all_one() {
    for (std::size_t i = 0; i < leaves.size(); ++i) ASSERT_EQ(leaves[i]->number, i);
    EXPECT_EQ(DataAccessor<Leaf>().size(), leaves.size());
    EXPECT_EQ(LeafTwo::made, 0);
  }
  void expect_all_two() {
    for (std::size_t i = 0; i < leaves.size(); ++i) ASSERT_EQ(as_two(*leaves[i]).name, "leaf " + std::to_string(i));
    EXPECT_EQ(DataAccessor<LeafTwo>().size(), leaves.size());
    EXPECT_EQ(LeafTwo::made, static_cast<long>(leaves.size()));
  }

  std::vector<std::unique_ptr<Leaf>> leaves;
};

const ConversionOptions<Leaf, LeafTwo> in_several_threads{.transformers = Transformers::concurrent, .inverse = to_one};

TEST_F(Eagerly, SeveralThreadsConvertEachObjectOnceAndBack) {
  make(60'000);
  std::atomic<std::size_t> calls{0};
  const auto convert = [&](const Leaf& old) {
    ++calls;
    return LeafTwo(old);
  };
  EXPECT_EQ((start_eager_update<Leaf, LeafTwo>(convert, in_several_threads)), leaves.size());
  EXPECT_EQ(calls, leaves.size());
  expect_all_two();
  start_eager_update<LeafTwo, Leaf>(to_one, {.transformers = Transformers::concurrent});
  expect_all_one();
}

TEST_F(Eagerly, AThrowInAnyThreadLeavesAllObjectsAsTheyWere) {
  make(60'000);
  for (const std::uint64_t failing : {0u, 1u, 4095u, 30'000u, 59'999u})
    for (const bool others_too : {false, true}) {
      EXPECT_THROW((start_eager_update<Leaf, LeafTwo>(
                       [=](const Leaf& old) {
                         if (old.number == failing || (others_too && old.number % 1000 == 7))
                           throw std::runtime_error("not that one");
                         return LeafTwo(old);
                       },
                       in_several_threads)),
                   std::runtime_error);
      expect_all_one();
    }
}

TEST_F(Eagerly, FewObjectsAreConvertedByOneThread) {
  make(1000);
  std::set<std::thread::id> seen;  // unguarded: only one thread may write to it
  start_eager_update<Leaf, LeafTwo>(
      [&](const Leaf& old) {
        seen.insert(std::this_thread::get_id());
        return LeafTwo(old);
      },
      in_several_threads);
  EXPECT_EQ(seen, std::set<std::thread::id>{std::this_thread::get_id()});
  start_eager_update<LeafTwo, Leaf>(to_one);
}

TEST_F(Eagerly, WithoutHelpersTheUpdateIsRefusedAndTheNextOneApplies) {
  make(60'000);
  {
    const ArmedFault armed("convert.workers.make");
    EXPECT_THROW((start_eager_update<Leaf, LeafTwo>([](const Leaf& old) { return LeafTwo(old); }, in_several_threads)),
                 Error);
    EXPECT_TRUE(armed.fired());
  }
  expect_all_one();
  start_eager_update<Leaf, LeafTwo>([](const Leaf& old) { return LeafTwo(old); }, in_several_threads);
  expect_all_two();
  start_eager_update<LeafTwo, Leaf>(to_one);
}

TEST_F(Eagerly, TheProgressPageShowsItsProgressUntilItIsDone) {
  make(20'000);
  ProgressBoard board;
  hang_up_progress_board(&board);
  std::uint64_t number = 0;
  std::uint64_t most = 0;
  start_eager_update<Leaf, LeafTwo>([&](const Leaf& old) {
    number = board.number;
    most = std::max<std::uint64_t>(most, board.done);
    EXPECT_EQ(board.total, 2 * leaves.size()) << "two passes";
    return LeafTwo(old);
  });
  hang_up_progress_board(nullptr);
  EXPECT_EQ(number % 2, 1u);
  EXPECT_GT(most, 0u);
  EXPECT_EQ(board.done, 2 * leaves.size());
  EXPECT_EQ(board.number, number + 1);
  EXPECT_EQ(std::string_view(board.what.data()), "moult::internal::subject::Leaf to moult::internal::subject::LeafTwo");
  start_eager_update<LeafTwo, Leaf>(to_one);
}

TEST_F(Eagerly, AnUpdateWaitsWhileAMethodOfTheClassIsActiveInAnyThread) {
  make(10);
  std::atomic<bool> goes_on{false};
  std::atomic<bool> is_there{false};
  std::jthread active([&] { leaves[3]->rest(goes_on, is_there); });
  while (!is_there) std::this_thread::yield();
  Manager manager("leaves");
  const auto apply = [&] {
    auto update = std::make_unique<EagerConversionUpdate<Leaf, LeafTwo>>(
        "leaves", [](const Leaf& old) { return LeafTwo(old); }, ConversionOptions<Leaf, LeafTwo>{.inverse = to_one});
    update->set_patience({.max_tries = 2, .sleep_time = 1ms, .stop_timeout = 60s, .max_postponements = 0});
    UpdateHandle handle = manager.add_update(std::move(update));
    for (int step = 0; step < 100 && !is_ended(handle.report().state); ++step) manager.apply_next_update();
    return handle.report();
  };
  const UpdateReport refused = apply();
  EXPECT_NE(refused.state, UpdateState::applied);
  EXPECT_THAT(refused.reason, testing::HasSubstr("moult::internal::subject::Leaf::rest"));
  expect_all_one();
  goes_on = true;
  active.join();
  const UpdateReport applied = apply();
  ASSERT_EQ(applied.state, UpdateState::applied) << applied.reason;
  expect_all_two();
  roll_back(applied.id);
  expect_all_one();
}

/// A class hierarchy of the program, and its replacement.
struct Being {
  virtual ~Being() = default;
  virtual int legs() const = 0;
};
struct Beast : Updatable<Beast, 64>, Being {
  static inline int ended = 0;
  int legs() const override { return 4; }
  ~Beast() override { ++ended; }
};
struct Winged {
  virtual ~Winged() = default;
  int wings = 2;
};
struct Bird : Updatable<Bird>, Being, Winged {
  static inline int ended = 0;
  Bird() = default;
  Bird(Bird&&) noexcept {}
  int legs() const override { return 2; }
  ~Bird() override { ++ended; }
};

TEST_F(Eagerly, CastsAndCallsOfConvertedObjectsAreThoseOfTheNewClass) {
  Being* const being = new Beast;
  std::shared_ptr<Beast> shared = allocate_shared<Beast>();
  const std::weak_ptr<Beast> weak = shared;
  EXPECT_EQ((start_eager_update<Beast, Bird>([](const Beast&) { return Bird(); })), 2u);
  EXPECT_EQ(being->legs(), 2);
  EXPECT_EQ(typeid(*being), typeid(Bird));
  EXPECT_EQ(dynamic_cast<Beast*>(being), nullptr);
  ASSERT_NE(dynamic_cast<Winged*>(being), nullptr);
  EXPECT_EQ(dynamic_cast<Winged*>(being)->wings, 2);
  EXPECT_EQ(shared.use_count(), 1);
  const int before = Bird::ended;
  try {
    const std::unique_ptr<Being> owned(being);
    throw std::runtime_error("while one is alive");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(Bird::ended, before + 1) << "by code that knows the base class only";
  }
  shared.reset();
  EXPECT_TRUE(weak.expired());
  EXPECT_EQ(Bird::ended, before + 2);
}

}  // namespace subject
}  // namespace moult::internal
