#include "lifecycle/submission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "fake_program.hpp"

namespace moult::internal::test {
namespace {

using internal::Submission;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Submission, RecordsTheUpdatesOfThisThread) {
  program.reset();
  Manager main("main");
  Submission submission(Submission::Mode::apply);
  {
    Submission::Scope scope(submission);
    main.add_update(scripted(std::make_shared<Script>(), "mine"));
    std::jthread([&] { main.add_update(scripted(std::make_shared<Script>(), "another thread's")); });
  }
  main.add_update(scripted(std::make_shared<Script>(), "later"));
  ASSERT_EQ(submission.handles().size(), 1u);
  main.apply_next_update();
  EXPECT_EQ(submission.reports()[0].name, "mine");
  EXPECT_EQ(submission.reports()[0].state, UpdateState::applied);
}

TEST(Submission, ScopesNest) {
  Submission outer(Submission::Mode::apply);
  Submission inner(Submission::Mode::check);
  EXPECT_EQ(Submission::current(), nullptr);
  {
    Submission::Scope first(outer);
    {
      Submission::Scope second(inner);
      EXPECT_EQ(Submission::current(), &inner);
    }
    EXPECT_EQ(Submission::current(), &outer);
  }
  EXPECT_EQ(Submission::current(), nullptr);
}

class DryRun : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { program.reset(); }
  UpdateReport check(std::unique_ptr<Update> update) {
    Submission::Scope scope(submission_);
    return main_.manager().add_update(std::move(update)).report();
  }

  AnyKind main_{GetParam()};
  Submission submission_{Submission::Mode::check};
  std::shared_ptr<Script> script_ = std::make_shared<Script>();
};

INSTANTIATE_TEST_SUITE_P(Lifecycle, DryRun, testing::Values(Kind::inline_manager, Kind::threaded_manager),
                         [](const auto& parameter) { return name_of_kind(parameter.param); });

TEST_P(DryRun, OnlyPreparesAndDestroysTheUpdate) {
  Listening listening;
  std::size_t known = all_updates().size();
  UpdateReport report = check(scripted(script_));
  EXPECT_EQ(report.state, UpdateState::queued);
  EXPECT_EQ(report.id, 0u);
  EXPECT_EQ(report.manager, "main");
  EXPECT_THAT(script_->trace(), ElementsAre("prepare", "destroyed"));
  EXPECT_THAT(listening.lines(), IsEmpty());
  EXPECT_EQ(all_updates().size(), known);
  EXPECT_EQ(program.stops, 0);
}

TEST_P(DryRun, NamesEveryRefusal) {
  script_->at("prepare", [] { throw Error(ErrorCode::inlined, "inlined at app.cpp:42"); });
  check(scripted(script_, "first"));
  check(scripted(std::make_shared<Script>(), "second"));
  std::vector<UpdateReport> reports = submission_.reports();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].state, UpdateState::refused);
  EXPECT_EQ(reports[0].code, ErrorCode::inlined);
  EXPECT_EQ(reports[0].reason, "inlined at app.cpp:42");
  EXPECT_EQ(reports[1].state, UpdateState::queued);
}

TEST_P(DryRun, ChangesNothingEvenWhenPrepareDoes) {
  script_->at("prepare", [] { set_version(5); });
  EXPECT_EQ(check(scripted(script_)).state, UpdateState::refused);
  EXPECT_EQ(program.version, 1);
  EXPECT_EQ(program.stopped_now, 0);
}

TEST_P(DryRun, LeavesAnEntryFunctionThatWaitsForAnUpdate) {
  Submission::Scope scope(submission_);
  const UpdateHandle handle = main_.manager().add_update(scripted(script_, "hello"));
  try {
    handle.wait(std::chrono::minutes(1));
    FAIL() << "what comes of the update is not known";
  } catch (const internal::DryRunLeft& left) {
    EXPECT_EQ(left.waited_for, "hello");
  }
}

TEST_P(DryRun, TellsAWaitingEntryFunctionOfARefusal) {
  script_->at("prepare", [] { throw Error(ErrorCode::inlined, "inlined at app.cpp:42"); });
  Submission::Scope scope(submission_);
  const UpdateHandle handle = main_.manager().add_update(scripted(script_));
  EXPECT_EQ(handle.wait(std::chrono::minutes(1)).state, UpdateState::refused);
}

TEST(DryRunOfManagers, LeavesAnEntryFunctionThatWaitsForItsUpdate) {
  Submission submission(Submission::Mode::check);
  Submission::Scope scope(submission);
  ThreadedManager& manager = threaded_manager("of the dry run");
  EXPECT_TRUE(manager.wait_current_update(std::chrono::minutes(1))) << "there is none yet";
  manager.add_update(scripted(std::make_shared<Script>()));
  EXPECT_THROW(manager.wait_current_update(std::chrono::minutes(1)), internal::DryRunLeft);
}

TEST(DryRunOfManagers, LeavesNoManagerBehind) {
  std::unique_ptr<ThreadedManager> kept_by_the_library;
  {
    Submission submission(Submission::Mode::check);
    Submission::Scope scope(submission);
    ThreadedManager& found = threaded_manager("found or made");
    kept_by_the_library = std::make_unique<ThreadedManager>("static in the entry");
    EXPECT_EQ(fetch_manager("found or made"), &found);
    EXPECT_EQ(&threaded_manager("found or made"), &found);
    EXPECT_EQ(fetch_manager("static in the entry"), kept_by_the_library.get());
    found.add_update(scripted(std::make_shared<Script>(), "checked"));
    EXPECT_EQ(submission.reports().at(0).state, UpdateState::queued);
  }
  EXPECT_EQ(fetch_manager("found or made"), nullptr);
  EXPECT_EQ(fetch_manager("static in the entry"), nullptr);
  ThreadedManager as_applied("static in the entry");
  kept_by_the_library.reset();
  EXPECT_EQ(fetch_manager("static in the entry"), &as_applied);
}

TEST(DryRunOfManagers, IsRefusedWhereApplyingWouldBe) {
  ThreadedManager of_the_program("taken");
  Submission submission(Submission::Mode::check);
  Submission::Scope scope(submission);
  EXPECT_THROW(ThreadedManager("taken"), Error);
  EXPECT_EQ(&threaded_manager("taken"), &of_the_program);
  ThreadedManager fresh("twice in one entry");
  EXPECT_THROW(ThreadedManager("twice in one entry"), Error);
}

}  // namespace
}  // namespace moult::internal::test
