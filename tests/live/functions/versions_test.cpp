// A call that goes on in the new version of a function is a call of the function, for the update after next.
#include <gtest/gtest.h>
#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "moult/error.hpp"
#include "redefine.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

sem_t gate;
std::atomic<int> at_gate{0};

void wait_at_gate() {
  ++at_gate;
  while (sem_wait(&gate) != 0) {
  }
}
MOULT_UPDATABLE int stays(int x) { return x; }
MOULT_UPDATABLE int stays_two(int x) {
  wait_at_gate();
  return x + 2;
}
MOULT_UPDATABLE int stays_three(int x) {
  wait_at_gate();
  return x + 3;
}
MOULT_UPDATABLE int stays_four(int x) { return x + 4; }

/// A call of stays() that goes on until the guard ends.
class Call final {
 public:
  Call() {
    sem_init(&gate, 0, 0);
    at_gate = 0;
    thread_ = std::jthread([] { EXPECT_GT(stays(0), 0); });
    while (at_gate == 0) std::this_thread::yield();
  }
  ~Call() { sem_post(&gate); }

 private:
  std::jthread thread_;
};

UpdateReport redefine_once(int (*old_function)(int), int (*fresh)(int)) {
  std::unique_ptr<Update> update = std::make_unique<SafeRedefineUpdate>("once", old_function, fresh);
  update->set_patience({.max_tries = 1, .sleep_time = std::chrono::milliseconds(5), .max_postponements = 0});
  return apply(std::move(update));
}

TEST(Versions, ACallInTheVersionInForceKeepsTheNextOneOut) {
  ASSERT_EQ(redefine_once(stays, stays_two).state, UpdateState::applied);
  {
    Call call;
    UpdateReport report = redefine_once(stays, stays_four);
    EXPECT_NE(report.state, UpdateState::applied);
    EXPECT_NE(report.reason.find("stays_two(int), which"), std::string::npos) << report.reason;
  }
  EXPECT_EQ(redefine_once(stays, stays_four).state, UpdateState::applied);
  EXPECT_EQ(stays(0), 4);
}

TEST(Versions, ACallInAVersionOfTheVersionCountsToo) {
  ASSERT_EQ(redefine_once(stays, stays_two).state, UpdateState::applied);
  ASSERT_EQ(redefine_once(stays_two, stays_three).state, UpdateState::applied);
  Call call;
  EXPECT_NE(redefine_once(stays, stays_four).state, UpdateState::applied);
}

TEST(Versions, AnUpdateIsNotTakenBackWhileItsVersionIsActive) {
  const UpdateReport report = redefine_once(stays, stays_two);
  ASSERT_EQ(report.state, UpdateState::applied);
  {
    Call call;
    EXPECT_THROW(roll_back(report.id, std::chrono::milliseconds(50)), Error);
  }
  roll_back(report.id);
  EXPECT_EQ(stays(1), 1);
}

TEST(Versions, AnUpdateWhoseVersionWasRedefinedInTurnIsNotTakenBackWhileThatIsActive) {
  UpdateReport first = redefine_once(stays, stays_two);
  ASSERT_EQ(first.state, UpdateState::applied);
  ASSERT_EQ(redefine_once(stays_two, stays_three).state, UpdateState::applied);
  {
    Call call;
    EXPECT_THROW(roll_back(first.id, std::chrono::milliseconds(50)), Error);
  }
  roll_back(first.id);
  EXPECT_EQ(stays(1), 1);
}

}  // namespace subject
}  // namespace moult
