// A function is left in the middle of its loop, and another one does the rest.
#include <cstdlib>
#include <optional>

#include "base/fault.hpp"
#include "moult/relinking.hpp"
#include "reboot.hpp"
#include "subject.hpp"

namespace moult::reboot_test {

using namespace internal;

namespace {
std::atomic<int> points = 0;
}
[[gnu::noinline]] void pass_point(const char* function) {
  ++points;
  static_update_point(function);
  std::this_thread::yield();
}
void note(const char* text) { trace.add(text); }
bool is_over() { return is_to_end; }
void keep(long) {}

struct Negative {
  MOULT_UPDATABLE long count(int turns) const { return -turns; }
  long factor;
};

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Progress {
  int turns;
  int turn;
  long sum;
};

/// Of the variables that every counting function has.
Progress capture_progress(const FrameView& frame) {
  return {frame.local<int>("turns"), frame.local<int>("turn"), frame.local<long>("sum")};
}

constexpr long sum_to(long turns) { return turns * (turns - 1) / 2; }

/// What is missing of the sum in another way, and some more: that shows that it was this function.
constexpr long extra = 1'000'000;
template <class R>
R finish(Progress progress) {
  trace.add("new version");
  return result_of<R>(progress.sum + sum_to(progress.turns) - sum_to(progress.turn) + extra);
}
template <>
void finish<void>(Progress progress) {
  trace.add(progress.sum == sum_to(progress.turn) ? "new version" : "wrong state");
}

bool equal(const Small& one, const Small& other) {
  return one.number == other.number && one.fraction == other.fraction;
}
bool equal(const Integers& one, const Integers& other) {
  return one.first == other.first && one.second == other.second;
}
bool equal(const Large& one, const Large& other) { return one.numbers == other.numbers; }
template <class R>
bool equal(const R& one, const R& other) {
  return one == other;
}

/// Turns that are never done: the old function does not come to its end by itself.
constexpr int many_turns = 1'000'000'000;

/// A thread in the middle of `work`.
class Worker final {
 public:
  template <class Work>
  explicit Worker(Work work) {
    points = 0;
    is_to_end = false;
    thread_ = std::thread([this, work] {
      id_ = static_cast<int>(this_thread_id());
      id_.notify_one();
      work();
    });
    id_.wait(0);
  }
  ~Worker() {
    is_to_end = true;
    join();
  }
  ThreadId id() const { return ThreadId{id_.load()}; }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<int> id_ = 0;
  std::thread thread_;
};

/// When it is not, the old function comes to its end.
void expect_rebooted(const Worker& worker, const FunctionReboot& reboot) {
  const UpdateReport report = carry_out(std::make_unique<RebootFunctionUpdate>("reboot", worker.id(), reboot));
  expect_applied(report);
  if (report.state != UpdateState::applied) is_to_end = true;
}

/// Reboots `function` in a thread that is in the middle of it; its caller must get what `finish` makes of it.
template <class R>
void expect_finished(R (*function)(int)) {
  trace.clear();
  std::optional<R> result;
  Worker worker([&result, function] { result = function(many_turns); });
  expect_rebooted(worker, FunctionReboot(function, finish<R>, capture_progress));
  worker.join();
  ASSERT_TRUE(result);
  EXPECT_TRUE(equal(*result, result_of<R>(sum_to(many_turns) + extra)));
  const std::vector<std::string> lines = trace.lines();
  ASSERT_GE(lines.size(), 3U);
  EXPECT_THAT(std::vector(lines.end() - 3, lines.end()), ElementsAre("deeper", "counting", "new version"));
}

void expect_finished(void (*function)(int)) {
  trace.clear();
  bool is_back = false;
  Worker worker([&is_back, function] {
    function(many_turns);
    is_back = true;
  });
  expect_rebooted(worker, FunctionReboot(function, finish<void>, capture_progress));
  worker.join();
  EXPECT_TRUE(is_back);
  EXPECT_EQ(trace.lines().back(), "new version");
}

#define MOULT_SUBJECT_TESTS(space)                                                                                    \
  TEST(FunctionReboot_##space, AnIntegerGoesToTheOldCaller) { expect_finished(space::count_int); }                    \
  TEST(FunctionReboot_##space, ALongGoesToTheOldCaller) { expect_finished(space::count_long); }                       \
  TEST(FunctionReboot_##space, ADoubleGoesToTheOldCaller) { expect_finished(space::count_double); }                   \
  TEST(FunctionReboot_##space, ALongDoubleGoesToTheOldCaller) { expect_finished(space::count_long_double); }          \
  TEST(FunctionReboot_##space, AStructInTwoKindsOfRegistersDoes) { expect_finished(space::count_small); }             \
  TEST(FunctionReboot_##space, AStructInTwoRegistersDoes) { expect_finished(space::count_integers); }                 \
  TEST(FunctionReboot_##space, AStructInMemoryDoes) { expect_finished(space::count_large); }                          \
  TEST(FunctionReboot_##space, AStringDoes) { expect_finished(space::count_string); }                                 \
  TEST(FunctionReboot_##space, AVectorDoes) { expect_finished(space::count_vector); }                                 \
  TEST(FunctionReboot_##space, AFunctionWithoutAResultGoesBackToItsCaller) { expect_finished(space::count_nothing); } \
  TEST(FunctionReboot_##space, TheCallersRegistersAreKept) { expect_callers_undisturbed<space_##space>(); }           \
  TEST(FunctionReboot_##space, NoElementIsLostOrRepeated) { expect_whole_lists(space::fill_into); }                   \
  TEST(FunctionReboot_##space, APointInANoexceptFunctionIsRefused) {                                                  \
    expect_refused_behind_noexcept(space::count_behind_noexcept);                                                     \
  }

/// The functions of a subject that `call_all` calls, one after the other.
#define MOULT_SUBJECT_FUNCTIONS(space)                                                                        \
  struct space_##space {                                                                                      \
    static std::string call_all(int turns) { return space::call_all(turns); }                                 \
    static std::vector<std::pair<std::string, FunctionReboot>> reboots() {                                    \
      return {{"int", FunctionReboot(space::count_int, same<int>, capture_progress)},                         \
              {"long", FunctionReboot(space::count_long, same<long>, capture_progress)},                      \
              {"double", FunctionReboot(space::count_double, same<double>, capture_progress)},                \
              {"long_double", FunctionReboot(space::count_long_double, same<long double>, capture_progress)}, \
              {"small", FunctionReboot(space::count_small, same<Small>, capture_progress)},                   \
              {"integers", FunctionReboot(space::count_integers, same<Integers>, capture_progress)},          \
              {"large", FunctionReboot(space::count_large, same<Large>, capture_progress)},                   \
              {"string", FunctionReboot(space::count_string, same<std::string>, capture_progress)},           \
              {"vector", FunctionReboot(space::count_vector, same<std::vector<long>>, capture_progress)}};    \
    }                                                                                                         \
  };

/// With the old function's result.
template <class R>
R same(Progress progress) {
  return result_of<R>(progress.sum + sum_to(progress.turns) - sum_to(progress.turn));
}

/// Has its thread begin when it waits for it.
class Begins final : public RebootFunctionUpdate {
 public:
  Begins(ThreadId thread, const FunctionReboot& reboot, std::atomic<bool>& may_begin)
      : RebootFunctionUpdate("reboot", thread, reboot), may_begin_(may_begin) {}
  void preupdate_setup() override {
    RebootFunctionUpdate::preupdate_setup();
    may_begin_ = true;
  }

 private:
  std::atomic<bool>& may_begin_;
};

/// Each of the functions is left in turn; what its caller kept in registers must be there.
template <class Subject>
void expect_callers_undisturbed() {
  constexpr int turns = 3;
  is_to_end = false;
  const std::string expected = Subject::call_all(turns);
  for (const auto& [name, reboot] : Subject::reboots()) {
    std::string text;
    std::atomic<bool> may_begin = false;
    Worker worker([&] {
      await(may_begin);
      text = Subject::call_all(turns);
    });
    auto update = std::make_unique<Begins>(worker.id(), reboot, may_begin);
    update->set_points({name});
    expect_applied(carry_out(std::move(update)));
    may_begin = true;
    worker.join();
    EXPECT_EQ(text, expected);
  }
}

void expect_refused_behind_noexcept(int (*function)(int)) {
  trace.clear();
  int passed = 0;
  {
    Worker worker([&passed, function] { passed = function(many_turns); });
    const UpdateReport report = carry_out(std::make_unique<RebootFunctionUpdate>(
        "reboot", worker.id(),
        FunctionReboot(
            function, [](int) { return 0; }, [](const FrameView&) { return 0; })));
    EXPECT_EQ(report.state, UpdateState::failed);
    EXPECT_EQ(report.code, ErrorCode::unsupported) << report.reason;
    EXPECT_THAT(report.reason, HasSubstr("pass_by_noexcept()"));
    EXPECT_THAT(report.reason, HasSubstr("subject.cpp:"));
    EXPECT_THAT(report.reason, HasSubstr("is noexcept there, and the process would be ended"));
  }
  EXPECT_GT(passed, 0);
}

struct List {
  std::vector<int> list;
  int i;
};

std::vector<int> fill_on(List state) {
  for (const int end = state.i + 1000; state.i < end; ++state.i) state.list.push_back(state.i);
  return std::move(state.list);
}

int rounds() {
  const char* soak = std::getenv("MOULT_SOAK");
  return soak != nullptr && *soak != '\0' ? 1000 : 10;
}

void expect_whole(const std::vector<int>& list) {
  ASSERT_GT(list.size(), 1000U);
  for (std::size_t i = 0; i < list.size(); ++i) ASSERT_EQ(list[i], static_cast<int>(i));
}

/// The point is before the element of the turn is there.
void expect_whole_lists(std::vector<int> (*fill)(int)) {
  const FunctionReboot reboot(fill, fill_on, [](const FrameView& frame) {
    return List{frame.local<std::vector<int>>("list"), frame.local<int>("i")};
  });
  for (int round = 0; round < rounds(); ++round) {
    std::vector<int> list;
    Worker worker([&list, fill] { list = fill(many_turns); });
    while (points < 10) std::this_thread::yield();
    expect_rebooted(worker, reboot);
    worker.join();
    expect_whole(list);
  }
}

int fill_into_on(std::tuple<std::vector<int>*, int> state) {
  const auto [list, begin] = state;
  const int end = begin + 1000;
  for (int i = begin; i < end; ++i) list->push_back(i);
  return end;
}

void expect_whole_lists(int (*fill_into)(std::vector<int>*, int)) {
  const FunctionReboot reboot(fill_into, fill_into_on, capture_locals<std::vector<int>*, int>("list", "i"));
  for (int round = 0; round < rounds(); ++round) {
    std::vector<int> list;
    int size = 0;
    Worker worker([&list, &size, fill_into] { size = fill_into(&list, many_turns); });
    while (points < 10) std::this_thread::yield();
    expect_rebooted(worker, reboot);
    worker.join();
    expect_whole(list);
    EXPECT_EQ(list.size(), static_cast<std::size_t>(size));
  }
}

MOULT_SUBJECT_FUNCTIONS(gcc_plain)
MOULT_SUBJECT_FUNCTIONS(gcc_optimised)
MOULT_SUBJECT_FUNCTIONS(clang_plain)
MOULT_SUBJECT_FUNCTIONS(clang_optimised)
MOULT_SUBJECT_TESTS(gcc_plain)
MOULT_SUBJECT_TESTS(gcc_optimised)
MOULT_SUBJECT_TESTS(clang_plain)
MOULT_SUBJECT_TESTS(clang_optimised)

TEST(FunctionReboot, AMethodIsRebooted) {
  const gcc_optimised::Counter counter{1};
  long result = 0;
  Worker worker([&] { result = counter.count(many_turns); });
  expect_rebooted(worker, FunctionReboot(&gcc_optimised::Counter::count, finish<long>, capture_progress));
  worker.join();
  EXPECT_EQ(result, sum_to(many_turns) + extra);
}

TEST(FunctionReboot, AFunctionThatIsKnownByItsNameIsRebooted) {
  long result = 0;
  Worker worker([&] { result = gcc_optimised::count_long(many_turns); });
  const Function<long(int)> named = function<long(int)>("moult::reboot_test::gcc_optimised::count_long");
  expect_rebooted(worker, FunctionReboot(named, finish<long>, capture_progress));
  worker.join();
  EXPECT_EQ(result, sum_to(many_turns) + extra);
}

TEST(FunctionReboot, AMethodThatIsKnownByItsNameIsRebooted) {
  const gcc_optimised::Counter counter{1};
  long result = 0;
  Worker worker([&] { result = counter.count(many_turns); });
  using Method = long (gcc_optimised::Counter::*)(int) const;
  const Function<Method> named = function<Method>("moult::reboot_test::gcc_optimised::Counter::count");
  expect_rebooted(worker, FunctionReboot(named, finish<long>, capture_progress));
  worker.join();
  EXPECT_EQ(result, sum_to(many_turns) + extra);
}

/// By an update of the reader's own, which redefines the function for later calls too.
class RebootsAndRedefines final : public StaticPointUpdate {
 public:
  explicit RebootsAndRedefines(ThreadId thread) : StaticPointUpdate("both", {"method"}, {thread}) {}
  void apply() override {
    reboot_function(threads().front(), &gcc_optimised::Counter::count, finish<long>, capture_progress);
    redefine_function(&gcc_optimised::Counter::count, &Negative::count);
  }
  bool wait_over() override { return wait_departures(patience()); }
};

TEST(FunctionReboot, ItGoesTogetherWithARedefinition) {
  const gcc_optimised::Counter counter{1};
  long result = 0;
  Worker worker([&] { result = counter.count(many_turns); });
  const UpdateReport report = carry_out(std::make_unique<RebootsAndRedefines>(worker.id()));
  expect_applied(report);
  if (report.state != UpdateState::applied) is_to_end = true;
  worker.join();
  EXPECT_EQ(result, sum_to(many_turns) + extra);
  EXPECT_EQ(counter.count(5), -5);
}

TEST(FunctionReboot, AListThatIsReturnedIsWhole) {
  for (std::vector<int> (*fill)(int) : {gcc_plain::fill, gcc_optimised::fill, clang_plain::fill})
    expect_whole_lists(fill);
}

/// Every point where something may fail, made to fail: the function goes on as if nothing had been, and can be rebooted
/// later.
TEST(FunctionReboot, WhatFailsLeavesTheFunctionWhereItIs) {
  trace.clear();
  long result = 0;
  Worker worker([&result] { result = gcc_optimised::count_long(many_turns); });
  auto update = [&worker] {
    return std::make_unique<RebootFunctionUpdate>(
        "reboot", worker.id(), FunctionReboot(gcc_optimised::count_long, finish<long>, capture_progress));
  };
  for (const std::string_view point : fault_points()) {
    if (!point.starts_with("reboot.pending_exit") && !point.starts_with("reboot.function_reboot") &&
        !point.starts_with("recipes.reboot_function") && !point.starts_with("reboot.exits"))
      continue;
    const ArmedFault fault(point);
    const UpdateReport report = carry_out(update());
    EXPECT_TRUE(fault.fired()) << point;
    EXPECT_TRUE(report.state == UpdateState::failed || report.state == UpdateState::refused) << point;
    for (const int before = points; points < before + 3;) std::this_thread::yield();
  }
  expect_applied(carry_out(update()));
  worker.join();
  EXPECT_EQ(result, sum_to(many_turns) + extra);
}

}  // namespace
}  // namespace moult::reboot_test
