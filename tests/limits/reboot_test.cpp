// Threads and functions that are not rebooted, with the messages.
#include "moult/reboot.hpp"

#include <atomic>
#include <thread>

#include "moult/manager.hpp"
#include "moult/static_points.hpp"
#include "reboot_test/optimised.hpp"
#include "refusal.hpp"

namespace moult::limits_reboot {
namespace {

using namespace std::chrono_literals;

std::atomic<bool> is_to_end = false;

}  // namespace

void pass_point() {
  static_update_point("turn");
  std::this_thread::yield();
}
bool is_over() { return is_to_end; }

namespace {

class Reboot : public testing::Test {
 protected:
  void SetUp() override { is_to_end = false; }
};

/// Ends the subject's thread, which was made before.
struct End {
  ~End() { is_to_end = true; }
};

UpdateReport carry_out(std::unique_ptr<Update> update) {
  update->set_patience({.max_tries = 60, .sleep_time = 1s, .stop_timeout = 20s, .max_postponements = 0});
  return threaded_manager("limits").add_update(std::move(update)).wait(120s);
}

void expect_failed(const UpdateReport& report, ErrorCode code, const std::vector<std::string>& words) {
  EXPECT_EQ(report.state, UpdateState::failed) << report.reason;
  EXPECT_EQ(report.code, code) << report.reason;
  for (const std::string& word : words) EXPECT_THAT(report.reason, testing::HasSubstr(word));
  EXPECT_THAT(report.changes, testing::IsEmpty());
}

void never() { ADD_FAILURE() << "the thread was restarted"; }

void go_round() {
  while (!is_to_end) pass_point();
}

[[gnu::noinline]] void go_round_noexcept() noexcept { go_round(); }

[[gnu::noinline]] void keep_everything() {
  try {
    go_round();
  } catch (...) {
  }
  while (!is_to_end) std::this_thread::yield();
}

TEST_F(Reboot, APointInsideANoexceptFunctionIsRefused) {
  Thread thread("subject", [] { go_round_noexcept(); });
  const End end;
  expect_failed(carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), never)), ErrorCode::unsupported,
                {"subject (", "cannot be unwound", "go_round_noexcept()", "reboot_test.cpp:",
                 "is noexcept there, and the process would be ended", "place the static update point where"});
}

TEST_F(Reboot, AThreadThatEndsTheUnwindingIsReported) {
  Thread thread("subject", [] { keep_everything(); });
  const End end;
  expect_failed(carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), never)), ErrorCode::still_active,
                {"subject (", "did not leave its main function", "a handler for every exception in",
                 "keep_everything()", "reboot_test.cpp:", "has ended the unwinding; let it throw on"});
}

TEST_F(Reboot, AThreadThatIsGoneIsRefused) {
  Thread thread("subject", [] {});
  const ThreadId id = thread.id();
  thread.join();
  const UpdateReport report = carry_out(std::make_unique<ThreadRebootUpdate>("reboot", id, never));
  limits::expect_refused(report, ErrorCode::not_found, {"no moult::Thread with the id", "runs"});
}

TEST_F(Reboot, AThreadThatIsNoMoultThreadIsRefused) {
  const UpdateReport report = carry_out(std::make_unique<ThreadRebootUpdate>("reboot", this_thread_id(), never));
  limits::expect_refused(report, ErrorCode::not_found,
                         {"only threads that the program made as moult::Thread can be restarted"});
}

TEST_F(Reboot, OutsideOfAStoppedStepItIsRefused) {
  Thread thread("subject", go_round);
  const End end;
  limits::expect_error(ErrorCode::invalid_argument, {"a thread is restarted only in an update's apply"},
                       [&] { switch_main(thread.id(), never); });
}

class WithoutPoint final : public Update {
 public:
  explicit WithoutPoint(ThreadId thread) : Update("without a point", {thread}) {}
  bool check_alterability() override { return true; }
  void apply() override { reset_thread(threads().front()); }
};

TEST_F(Reboot, AThreadThatStaysAtNoPointIsRefused) {
  Thread thread("subject", go_round);
  const End end;
  expect_failed(carry_out(std::make_unique<WithoutPoint>(thread.id())), ErrorCode::not_found,
                {"subject (", "does not stay at a static update point"});
}

class Twice final : public ThreadRebootUpdate {
 public:
  explicit Twice(ThreadId thread) : ThreadRebootUpdate("twice", thread, never) {}
  void apply() override {
    ThreadRebootUpdate::apply();
    switch_main(threads().front(), never);
  }
};

TEST_F(Reboot, AThreadLeavesOneCallAtATime) {
  Thread thread("subject", go_round);
  const End end;
  expect_failed(carry_out(std::make_unique<Twice>(thread.id())), ErrorCode::still_active,
                {"subject (", "is told to leave its main function already"});
}

int nowhere(int) { return 0; }

template <class Capture>
UpdateReport reboot_forgetting(Capture capture) {
  Thread thread("subject", [] { forgetting(1'000'000'000); });
  const End end;
  return carry_out(
      std::make_unique<RebootFunctionUpdate>("reboot", thread.id(), FunctionReboot(forgetting, nowhere, capture)));
}

TEST_F(Reboot, AVariableThatIsOptimisedOutIsRefused) {
  expect_failed(reboot_forgetting(capture_locals<int>("forgotten")), ErrorCode::unsupported,
                {"forgotten of", "forgetting(int)", "optimized out at"});
}

TEST_F(Reboot, AVariableThatIsNotThereIsRefused) {
  expect_failed(reboot_forgetting(capture_locals<int>("forgoten")), ErrorCode::not_found,
                {"forgoten", "forgetting(int)"});
}

TEST_F(Reboot, AVariableOfAnotherTypeIsRefused) {
  expect_failed(reboot_forgetting([](const FrameView& frame) { return static_cast<int>(frame.local<long>("turns")); }),
                ErrorCode::signature_mismatch, {"turns"});
}

TEST_F(Reboot, ACaptureThatThrowsFailsTheUpdate) {
  expect_failed(reboot_forgetting([](const FrameView&) -> int { throw std::runtime_error("on purpose"); }),
                ErrorCode::internal, {"on purpose"});
}

}  // namespace
}  // namespace moult::limits_reboot
