#include "base/warning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "base/transaction.hpp"
#include "base/untracked_change.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A program that is stopped for as long as this lives.
class StoppedProgram final : public Suspension {
  std::chrono::steady_clock::time_point began() const noexcept override { return {}; }
  std::vector<std::string> thread_names() const override { return {}; }
  std::size_t thread_count() const noexcept override { return 0; }
};

class Warning : public testing::Test {
 protected:
  std::vector<std::string> logged_;
  std::unique_ptr<EventLog::Subscription> subscription_ = event_log().subscribe([this](const Event& event) {
    if (event.kind == EventKind::warning) logged_.push_back(event.text);
  });
};

TEST_F(Warning, OfAnUpdateReachesTheLogAndTheReport) {
  Transaction transaction;
  Transaction::Scope scope(transaction);
  warn("mind the gap");
  EXPECT_THAT(logged_, ElementsAre("mind the gap"));
  EXPECT_THAT(transaction.warnings(), ElementsAre("mind the gap"));
}

TEST_F(Warning, WithTheSameTextIsGivenOnceInAnUpdate) {
  Transaction transaction;
  Transaction::Scope scope(transaction);
  warn("mind the gap");
  warn("mind the gap");
  EXPECT_THAT(logged_, ElementsAre("mind the gap"));
  EXPECT_THAT(transaction.warnings(), ElementsAre("mind the gap"));
}

TEST_F(Warning, WaitsForTheLogUntilTheProgramRunsAgain) {
  Transaction transaction;
  Transaction::Scope scope(transaction);
  transaction.hold(std::make_unique<StoppedProgram>());
  warn("mind the gap");
  EXPECT_THAT(logged_, IsEmpty());
  EXPECT_THAT(transaction.warnings(), ElementsAre("mind the gap"));
  transaction.resume();
  EXPECT_THAT(logged_, ElementsAre("mind the gap"));
}

TEST_F(Warning, OfAnEntryFunctionReachesTheLogAndTheReply) {
  UntrackedChanges changes(UntrackedChanges::Mode::made);
  UntrackedChanges::Scope scope(changes);
  warn("mind the gap");
  EXPECT_THAT(logged_, ElementsAre("mind the gap"));
  EXPECT_THAT(changes.warnings(), ElementsAre("mind the gap"));
  EXPECT_THAT(changes.lines(), IsEmpty());
}

}  // namespace
}  // namespace moult::internal
