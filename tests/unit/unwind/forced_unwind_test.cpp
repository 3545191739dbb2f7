// A thread that leaves a call of its own.
#include "unwind/forced_unwind.hpp"

#include <gtest/gtest.h>

#include <cxxabi.h>

#include <array>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "moult/relinking.hpp"
#include "unwind/exception_table.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;
using State = ForcedUnwind::State;

std::vector<std::string> trace;

struct Guard {
  explicit Guard(const char* text) : name(text) {}
  ~Guard() { trace.emplace_back(name); }
  const char* name;
};

/// The call to be left and its successor; set before `rebooted` is called.
std::shared_ptr<ForcedUnwind> unwind;

template <class R>
CodeAddress address_of(R (*function)()) {
  return CodeAddress{reinterpret_cast<std::uintptr_t>(function)};
}

/// What `inner` does when it leaves.
using Inner = void (*)();
void just_leave() { ForcedUnwind::begin(unwind); }

template <class R>
R (*successor)
() = nullptr;
template <class R>
void* result_place = nullptr;
bool may_be_handled = false;

/// Leaves itself from within `inner`. Its callers must not rely on its usual result.
template <class R>
MOULT_UPDATABLE R rebooted(Inner inner) {
  const Guard guard("rebooted");
  unwind = std::make_shared<ForcedUnwind>(Exit{reinterpret_cast<std::uint64_t>(__builtin_dwarf_cfa()),
                                               address_of(successor<R>),
                                               reinterpret_cast<std::uint64_t>(result_place<R>), may_be_handled});
  inner();
  trace.emplace_back("returned");
  if constexpr (!std::is_void_v<R>) return R();
}

template <class R>
R reboot(R (*with)(), Inner inner = just_leave) {
  trace.clear();
  successor<R> = with;
  return rebooted<R>(inner);
}

int give_number() {
  const std::shared_ptr<ForcedUnwind> arrived = ForcedUnwind::arrive();
  trace.emplace_back("successor");
  return arrived->state() == State::arrived ? 42 : 0;
}

TEST(ForcedUnwinding, TheSuccessorsResultGoesToTheCaller) {
  EXPECT_EQ(reboot<int>(give_number), 42);
  EXPECT_EQ(trace, (std::vector<std::string>{"rebooted", "successor"}));
  EXPECT_EQ(unwind->state(), State::arrived);
}

TEST(ForcedUnwinding, ADoubleIsAResult) {
  EXPECT_EQ(reboot<double>([] { return ForcedUnwind::arrive()->is_over() ? 2.5 : 0.0; }), 2.5);
}

TEST(ForcedUnwinding, ALongDoubleIsAResult) {
  EXPECT_EQ(reboot<long double>([] { return ForcedUnwind::arrive()->is_over() ? 1.25L : 0.0L; }), 1.25L);
}

TEST(ForcedUnwinding, NothingIsAResult) {
  reboot<void>([] {
    ForcedUnwind::arrive();
    trace.emplace_back("nothing");
  });
  EXPECT_EQ(trace.back(), "nothing");
}

struct Pair {
  long number;
  double fraction;
};
TEST(ForcedUnwinding, AStructInTwoRegistersIsAResult) {
  const Pair pair = reboot<Pair>([] {
    ForcedUnwind::arrive();
    return Pair{7, 0.5};
  });
  EXPECT_EQ(pair.number, 7);
  EXPECT_EQ(pair.fraction, 0.5);
}

using Large = std::array<long, 9>;
TEST(ForcedUnwinding, AResultInMemoryIsMadeWhereTheCallerWantsIt) {
  // The caller's argument is known here: its own variable, in which the result is made.
  alignas(Large) std::array<std::byte, sizeof(Large)> room{};
  result_place<Large> = room.data();
  reboot<Large>([] {
    ForcedUnwind::arrive();
    return Large{1, 2, 3, 4, 5, 6, 7, 8, 9};
  });
  EXPECT_EQ(reinterpret_cast<const Large*>(room.data())->back(), 9);
}

[[gnu::noinline]] void deeper() {
  const Guard guard("deeper");
  just_leave();
  trace.emplace_back("deeper returned");
}
[[gnu::noinline]] void deep() {
  const Guard guard("deep");
  deeper();
  trace.emplace_back("deep returned");
}

TEST(ForcedUnwinding, DestructorsRunFromTheInnermostFrameOutwards) {
  EXPECT_EQ(reboot<int>(give_number, deep), 42);
  EXPECT_EQ(trace, (std::vector<std::string>{"deeper", "deep", "rebooted", "successor"}));
}

std::mutex mutex;
TEST(ForcedUnwinding, AGuardedMutexIsReleased) {
  reboot<int>(give_number, [] {
    const std::lock_guard lock(mutex);
    just_leave();
    trace.emplace_back("returned");
  });
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(ForcedUnwinding, AHandlerThatRethrowsPasses) {
  const int number = reboot<int>(give_number, [] {
    try {
      deep();
    } catch (...) {
      trace.emplace_back("handler");
      throw;
    }
  });
  EXPECT_EQ(number, 42);
  EXPECT_EQ(trace, (std::vector<std::string>{"deeper", "deep", "handler", "rebooted", "successor"}));
}

/// libstdc++ gives the second handler no object.
#ifdef __SANITIZE_ADDRESS__
[[gnu::no_sanitize("null")]]
#endif
void pass_forced_unwindings() {
  try {
    deep();
  } catch (const std::exception&) {
    trace.emplace_back("wrong handler");
  } catch (const abi::__forced_unwind&) {
    throw;
  }
}

TEST(ForcedUnwinding, AHandlerForForcedUnwindingsPassesToo) {
  const int number = reboot<int>(give_number, pass_forced_unwindings);
  EXPECT_EQ(number, 42);
}

[[gnu::noinline]] void swallow() {
  try {
    deep();
  } catch (...) {
    trace.emplace_back("swallowed");
  }
  trace.emplace_back("goes on");
}

TEST(ForcedUnwinding, AHandlerThatKeepsItIsNoticedAndTheOldCodeContinues) {
  EXPECT_EQ(reboot<int>(give_number, swallow), 0);
  EXPECT_EQ(trace, (std::vector<std::string>{"deeper", "deep", "swallowed", "goes on", "returned", "rebooted"}));
  EXPECT_EQ(unwind->state(), State::handled);
  const std::optional<FrameHandling> place = frame_handling_at(unwind->last_call());
  ASSERT_TRUE(place);
  EXPECT_EQ(handling_of_call(*place, unwind->last_call()).site, CallSite::handles);
}

TEST(ForcedUnwinding, AHandlerThatThrowsSomethingElseKeepsIt) {
  EXPECT_THROW(reboot<int>(give_number,
                           [] {
                             try {
                               deep();
                             } catch (...) {
                               throw std::runtime_error("something else");
                             }
                           }),
               std::runtime_error);
  EXPECT_EQ(unwind->state(), State::handled);
}

TEST(ForcedUnwinding, OutOfAHandlerDestroysTheExceptionHandled) {
  const int number = reboot<int>(give_number, [] {
    try {
      throw std::runtime_error("handled");
    } catch (const std::exception&) {
      just_leave();
    }
  });
  EXPECT_EQ(number, 42);
  EXPECT_EQ(std::current_exception(), nullptr);
}

TEST(ForcedUnwinding, DoesNotBeginInAHandlerWithAHandlerForEverythingOnTheWay) {
  may_be_handled = true;
  const int number = reboot<int>(give_number, [] {
    try {
      throw std::runtime_error("handled");
    } catch (const std::exception&) {
      swallow();
    }
  });
  may_be_handled = false;
  EXPECT_EQ(number, 0);
  EXPECT_EQ(unwind->state(), State::not_begun);
  EXPECT_TRUE(unwind->was_in_a_handler());
  EXPECT_EQ(trace.front(), "deeper returned");
  EXPECT_EQ(trace.back(), "rebooted");
}

int throws_in_the_successor() {
  ForcedUnwind::arrive();
  throw std::runtime_error("the successor's");
}
TEST(ForcedUnwinding, AnExceptionOfTheSuccessorGoesToTheCaller) {
  EXPECT_THROW(reboot<int>(throws_in_the_successor), std::runtime_error);
}

/// Calls are made while registers that calls preserve are in use.
TEST(ForcedUnwinding, TheCallersRegistersAreKept) {
  long sum = 0;
  std::array<long, 12> numbers{};
  for (long round = 0; round < 100; ++round)
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] += static_cast<long>(i) + round;
      sum += reboot<int>(give_number, deep) + numbers[i];
    }
  long expected = 100L * 12 * 42;
  std::array<long, 12> again{};
  for (long round = 0; round < 100; ++round)
    for (std::size_t i = 0; i < again.size(); ++i) expected += again[i] += static_cast<long>(i) + round;
  EXPECT_EQ(sum, expected);
}

TEST(ForcedUnwinding, WakesAWaitingThreadWhenItIsOver) {
  successor<int> = [] {
    ForcedUnwind::arrive();
    return 1;
  };
  trace.clear();
  std::shared_ptr<ForcedUnwind> waited_for;
  std::atomic<bool> may_go = false;
  std::atomic<bool> is_made = false;
  std::thread thread([&] {
    static std::atomic<bool>* go;
    static std::atomic<bool>* made;
    go = &may_go;
    made = &is_made;
    rebooted<int>([] {
      made->store(true);
      made->notify_one();
      go->wait(false);
      just_leave();
    });
  });
  is_made.wait(false);
  waited_for = unwind;
  EXPECT_FALSE(waited_for->await(std::chrono::steady_clock::now()));
  may_go = true;
  may_go.notify_one();
  EXPECT_TRUE(waited_for->await(std::chrono::steady_clock::now() + 60s));
  EXPECT_EQ(waited_for->state(), State::arrived);
  thread.join();
}

}  // namespace subject
}  // namespace moult::internal
