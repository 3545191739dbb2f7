// Functions whose calls cannot be kept waiting, or whose returns cannot be reported.
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>

#include "moult/alterability.hpp"
#include "moult/return_barrier.hpp"
#include "refusal.hpp"

namespace returns {

using limits::expect_error;
using moult::ErrorCode;
using moult::UpdateReport;
using moult::UpdateState;

/// An update whose first changing step is `setup`.
class SetsUp final : public moult::Update {
 public:
  explicit SetsUp(std::function<void()> setup) : Update("sets up"), setup_(std::move(setup)) {
    set_patience({.max_tries = 1000, .sleep_time = std::chrono::milliseconds(10), .max_postponements = 0});
  }
  void preupdate_setup() override { setup_(); }
  bool wait_alterability() override { return moult::wait_force_quiescence(patience()); }
  bool check_alterability() override { return moult::check_force_quiescence(patience()); }
  void apply() override {}

 private:
  std::function<void()> setup_;
};

void expect_failed(const UpdateReport& report, ErrorCode code, const std::vector<std::string>& words) {
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, code) << report.reason;
  for (const std::string& word : words) EXPECT_THAT(report.reason, testing::HasSubstr(word));
}

UpdateReport report_of(std::function<void()> setup) {
  moult::ThreadedManager manager("returns");
  return manager.add_update(std::make_unique<SetsUp>(std::move(setup))).wait(std::chrono::seconds(60));
}

// The volatile keeps an instruction of the copy: compilers record no copy that vanishes completely.
inline int copied(int x) {
  volatile int seen = x;
  return seen * 3 + 1;
}
MOULT_UPDATABLE int holds_a_copy(int x) { return copied(x) + 1; }
int (*volatile pointer_to_copied)(int) = copied;  // so that there is a body of its own as well

TEST(Returns, AGateAtAFunctionWithInlinedCopiesIsRefused) {
  const UpdateReport report = report_of([] { moult::setup_force_quiescence({pointer_to_copied}); });
  expect_failed(report, ErrorCode::inlined,
                {"copied(int): inlined into returns::holds_a_copy(int)", "MOULT_UPDATABLE"});
  EXPECT_EQ(holds_a_copy(1), 5);
}

MOULT_UPDATABLE int plain(int x) { return x + 1; }

TEST(Returns, ASecondSetupInOneUpdateIsRefusedAndTheFirstIsTakenBack) {
  const UpdateReport report = report_of([] {
    moult::setup_force_quiescence({plain});
    moult::setup_force_quiescence({holds_a_copy});
  });
  expect_failed(report, ErrorCode::invalid_argument, {"set up forced quiescence twice", "give all functions to one"});
  EXPECT_EQ(plain(1), 2);
}

TEST(Returns, AGateOfNoFunctionIsRefused) {
  expect_failed(report_of([] { moult::setup_force_quiescence({}); }), ErrorCode::invalid_argument,
                {"quiescence is forced of no function"});
}

TEST(Returns, AGateInTheMiddleOfAFunctionIsRefused) {
  const auto* const middle = reinterpret_cast<const char*>(reinterpret_cast<const void*>(plain)) + 1;
  expect_failed(report_of([middle] { moult::setup_force_quiescence({moult::AnyFunction(middle, "middle")}); }),
                ErrorCode::not_found, {"middle: no function begins at its address"});
}

TEST(Returns, AWaitWithoutASetupIsRefused) {
  expect_failed(report_of([] {}), ErrorCode::invalid_argument,
                {"was not set up", "call setup_force_quiescence in preupdate_setup"});
}

TEST(Returns, OutsideOfAnUpdateTheyAreRefused) {
  expect_error(ErrorCode::invalid_argument, {"outside of an update's step"},
               [] { moult::setup_force_quiescence({plain}); });
  expect_error(ErrorCode::invalid_argument, {"outside of an update's step"},
               [] { moult::wait_return_of_function(plain); });
}

MOULT_UPDATABLE void stays(std::binary_semaphore& entered, std::binary_semaphore& leave) {
  entered.release();
  leave.acquire();
  asm volatile("");  // otherwise it would end in a jump
}

TEST(Returns, TheGatesOfTwoUpdatesAtOneFunctionAreRefused) {
  std::binary_semaphore entered{0};
  std::binary_semaphore leave{0};
  std::thread inside([&] { stays(entered, leave); });
  entered.acquire();
  moult::Manager manager("first");
  auto setup = [] { moult::setup_force_quiescence({stays, plain}); };
  const moult::UpdateHandle first = manager.add_update(std::make_unique<SetsUp>(setup));
  manager.apply_next_update();
  EXPECT_EQ(first.report().state, UpdateState::active) << first.report().reason;
  expect_failed(report_of([] { moult::setup_force_quiescence({plain}); }), ErrorCode::still_active,
                {"plain(int): another update keeps its calls waiting", "try again"});
  leave.release();
  inside.join();
  while (!is_ended(first.report().state)) manager.apply_next_update();
  EXPECT_EQ(first.report().state, UpdateState::applied) << first.report().reason;
}

MOULT_UPDATABLE void asks_for_itself() { const moult::ReturnBarrier barrier({asks_for_itself}); }

TEST(Returns, ABarrierForTheCallersOwnCallIsRefused) {
  expect_error(ErrorCode::unsupported, {"cannot be told of when it returns", "this thread's own"}, asks_for_itself);
}

}  // namespace returns
