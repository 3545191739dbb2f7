// An update calls its own copies of functions that the program has, too, and a redefinition reaches these calls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "code/loader.hpp"
#include "fixtures/own_copies.hpp"
#include "redefine.hpp"

namespace copied {

std::counting_semaphore<> inside{0};
std::counting_semaphore<> leave{0};
Exports exports;

}  // namespace copied

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using testing::Contains;
using testing::HasSubstr;

MOULT_UPDATABLE int rate_three(int amount) { return 3 * amount; }
MOULT_UPDATABLE int stays_not() { return 3; }

class OwnCopies : public testing::Test {
 protected:
  OwnCopies() {
    std::string name = testing::TempDir() + "moult-own-copies-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~OwnCopies() override { std::filesystem::remove_all(folder_); }

  void load() { internal::load_update(OWN_COPIES_UPDATE, {.folder = folder_, .force = true}).run(); }

  std::string folder_;
};

TEST_F(OwnCopies, ARedefinitionReachesTheCallsOfAnUpdateUntilItIsRolledBack) {
  load();
  EXPECT_EQ(copied::exports.call_rate(10), 20);
  EXPECT_EQ(copied::rate(10), 10);
  const UpdateReport report = redefine(copied::rate, rate_three);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(copied::exports.call_rate(10), 30);
  roll_back(report.id);
  EXPECT_EQ(copied::exports.call_rate(10), 20);
  EXPECT_EQ(copied::rate(10), 10);
}

TEST_F(OwnCopies, ARedefinitionOfAHiddenFunctionReachesTheCallsOfAnUpdate) {
  load();
  EXPECT_EQ(copied::exports.call_hidden_rate(10), 21);
  const UpdateReport report = redefine(function<int(int)>("copied::hidden_rate"), rate_three);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(copied::exports.call_hidden_rate(10), 30);
  EXPECT_EQ(copied::hidden_rate(10), 30);
  roll_back(report.id);
  EXPECT_EQ(copied::exports.call_hidden_rate(10), 21);
}

TEST_F(OwnCopies, AFunctionThatIsRedefinedAlreadyIsSoForAnUpdateThatIsLoadedLater) {
  const UpdateReport report = redefine(copied::rate, rate_three);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  load();
  EXPECT_EQ(copied::exports.call_rate(10), 30);
  roll_back(report.id);
  EXPECT_EQ(copied::exports.call_rate(10), 20);
}

TEST_F(OwnCopies, AStaticConstructorOfAnUpdateCallsTheVersionThatTheEntryWillCall) {
  load();
  EXPECT_EQ(copied::exports.rate_at_load, 20);
  const UpdateReport report = redefine(copied::rate, rate_three);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  load();
  EXPECT_EQ(copied::exports.rate_at_load, 30);
  roll_back(report.id);
  EXPECT_EQ(copied::exports.call_rate(10), 20);
}

TEST_F(OwnCopies, ACallOfACopyIsACallOfTheFunction) {
  load();
  std::thread caller([] { EXPECT_EQ(copied::exports.call_stays(), 2); });
  copied::inside.acquire();
  auto update = std::make_unique<SafeRedefineUpdate>("stays", copied::stays, stays_not);
  update->set_patience({.max_tries = 1, .sleep_time = std::chrono::milliseconds(1), .max_postponements = 0});
  const UpdateReport report = apply(std::move(update));
  EXPECT_NE(report.state, UpdateState::applied);
  EXPECT_THAT(report.reason, HasSubstr("an update's copy of it"));
  copied::leave.release();
  caller.join();
}

/// This thread has no capabilities, as in a process of an ordinary user: it cannot read deleted files that are mapped.
class WithoutCapabilities final {
 public:
  WithoutCapabilities() {
    ::syscall(SYS_capget, &header_, before_.data());
    std::array<__user_cap_data_struct, 2> none = before_;
    for (__user_cap_data_struct& half : none) half.effective = 0;
    ::syscall(SYS_capset, &header_, none.data());
  }
  ~WithoutCapabilities() { ::syscall(SYS_capset, &header_, before_.data()); }
  WithoutCapabilities(const WithoutCapabilities&) = delete;
  WithoutCapabilities& operator=(const WithoutCapabilities&) = delete;

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> before_{};
};

TEST_F(OwnCopies, AFunctionIsRedefinedWhenTheFileOfACopyIsGone) {
  load();
  std::filesystem::remove_all(folder_);
  const WithoutCapabilities as_a_user;
  const UpdateReport report = redefine(copied::rate, rate_three);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(copied::exports.call_rate(10), 30);
  roll_back(report.id);
  EXPECT_EQ(copied::exports.call_rate(10), 20);
}

TEST_F(OwnCopies, CallsThatShareASlotWithAnAddressAreWarnedOf) {
  const internal::LoadedUpdate update = internal::load_update(SHARED_SLOT_UPDATE, {.folder = folder_, .force = true});
  update.run();
  EXPECT_EQ(copied::exports.call_rate(10), 10);
  EXPECT_THAT(update.warnings(), Contains(testing::AllOf(HasSubstr("copied::rate(int)"), HasSubstr("GNU ld"))));
}

TEST_F(OwnCopies, ANewVersionThatCallsACopyOfTheOldOneByNameIsWarnedOf) {
  load();
  const UpdateReport report = redefine(copied::rate, copied::exports.new_rate);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_THAT(report.warnings, Contains(HasSubstr("calls it by its old name")));
  EXPECT_EQ(copied::rate(5), 5);
}

}  // namespace subject
}  // namespace moult
