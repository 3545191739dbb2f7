// moult::original: the version that a new version replaces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loaded_update.hpp"
#include "moult/moult.hpp"
#include "prices.hpp"

namespace {

using moult::UpdateState;

const app::Exports& update(const std::string& name) {
  return load_update<app::Exports>((UPDATES + name + ".so").c_str());
}

class Original : public testing::Test {
 protected:
  std::uint64_t apply(const app::Exports& exports) {
    moult::UpdateHandle handle = manager_.add_update(exports.make());
    manager_.apply_next_update();
    report_ = handle.report();
    EXPECT_EQ(report_.state, UpdateState::applied) << report_.reason;
    return handle.id();
  }
  void roll_back(std::uint64_t id) { moult::roll_back(id, std::chrono::seconds(20)); }

  moult::Manager manager_{"test"};
  moult::UpdateReport report_;
};

TEST_F(Original, ANewVersionCallsTheVersionThatItReplaces) {
  const app::Exports& one = update("1");
  one.find();
  EXPECT_EQ(one.call_old_price(7), 7) << "before the update is applied";
  const std::uint64_t id = apply(one);
  EXPECT_EQ(app::price(7), 71);
  EXPECT_EQ(app::price(-7), -9);
  EXPECT_THAT(report_.warnings, testing::IsEmpty());
  roll_back(id);
  EXPECT_EQ(app::price(7), 7);
  EXPECT_EQ(one.call_old_price(7), 7) << "after a rollback";
}

TEST_F(Original, AMethodCallsTheVersionThatItReplaces) {
  const app::Exports& one = update("1");
  one.find();
  const std::unique_ptr<app::Shop> shop = std::make_unique<app::Shop>();
  apply(one);
  EXPECT_EQ(shop->rate(4), 121);
}

TEST_F(Original, EachOfSeveralUpdatesCallsTheVersionBelowIt) {
  const app::Exports& one = update("1");
  const app::Exports& two = update("2");
  // Both are looked up before either is applied.
  one.find();
  two.find();
  const std::uint64_t first = apply(one);
  const std::uint64_t second = apply(two);
  EXPECT_EQ(app::price(7), 712);
  roll_back(first);
  EXPECT_EQ(app::price(7), 72) << "the version below was rolled back";
  apply(one);
  EXPECT_EQ(app::price(7), 721) << "what was below is on top now";
  roll_back(second);
  EXPECT_EQ(app::price(7), 71);
}

TEST_F(Original, AnUpdateThatIsNotAppliedCallsTheActiveVersion) {
  const app::Exports& one = update("1");
  const app::Exports& two = update("2");
  one.find();
  const std::uint64_t id = apply(one);
  two.find();
  EXPECT_EQ(two.call_old_price(7), 71);
  one.find();
  EXPECT_EQ(one.call_old_price(7), 7) << "its own version is active and was not passed over";
  roll_back(id);
  EXPECT_EQ(two.call_old_price(7), 7);
}

TEST_F(Original, SeveralVersionsInOneFileCountAsOne) {
  const app::Exports& one = update("1");
  one.find();
  apply(one);
  EXPECT_EQ(moult::original(&app::price)(7), 71);
  apply(one);
  EXPECT_EQ(app::price(7), 71);
}

TEST_F(Original, AFunctionThatWasLookedUpByNameHasOneToo) {
  int (*const price)(int) = moult::original(moult::function<int(int)>("app::price"));
  EXPECT_EQ(price(7), 7);
  EXPECT_EQ(moult::original(&app::price), price);
}

void expect_refused(int (*function)(int), const std::string& why) {
  try {
    moult::original(function);
    ADD_FAILURE() << "was not refused";
  } catch (const moult::Error& error) {
    EXPECT_EQ(error.code(), moult::ErrorCode::unsupported_code);
    EXPECT_THAT(error.what(), testing::HasSubstr(why));
    EXPECT_THAT(error.what(), testing::HasSubstr("put the old body into the new version"));
  }
}

TEST_F(Original, CodeThatCannotBeEnteredBehindItsBeginningIsRefused) {
  expect_refused(app::begins_with_jrcxz, "begins_with_jrcxz+0x0: the instruction there has no form");
  expect_refused(app::begins_with_loop, "begins_with_loop: jumps back to its own entry");
}

TEST_F(Original, ACallByTheOldNameIsWarnedOf) {
  for (const char* name : {"recursive", "recursive_by_slot", "jumps", "jumps_by_slot"}) {
    SCOPED_TRACE(name);
    const std::uint64_t id = apply(update(name));
    EXPECT_THAT(report_.warnings,
                testing::ElementsAre(testing::ContainsRegex(
                    "app::price\\(int\\): the new version .*new_price\\(int\\) calls it by its old name at "
                    ".*update.cpp:[0-9]+.*reaches the new version again.*moult::original")));
    roll_back(id);
  }
}

}  // namespace
