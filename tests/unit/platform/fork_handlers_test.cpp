#include "platform/fork_handlers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

namespace moult::internal {
namespace {

std::string calls;

template <std::size_t place>
constexpr ForkHandlers noted{.before = [] { calls += "b" + std::to_string(place) + " "; },
                             .in_parent = [] { calls += "p" + std::to_string(place) + " "; },
                             .in_child = [] { calls += "c" + std::to_string(place) + " "; }};

constexpr std::array<ForkHandlers, fork_place_count> all_noted{noted<0>, noted<1>, noted<2>, noted<3>,
                                                               noted<4>, noted<5>, noted<6>};

TEST(ForkHandlers, AreCalledInTheOrderOfTheirPlacesWhateverTheOrderOfRegistration) {
  std::array<std::size_t, fork_place_count> order{0, 1, 2, 3, 4, 5, 6};
  do {
    ForkOrder fork_order;
    for (const std::size_t place : order) fork_order.add(ForkPlace{place}, all_noted[place]);
    calls.clear();
    fork_order.before();
    fork_order.in_parent();
    fork_order.in_child();
    ASSERT_EQ(calls, "b6 b5 b4 b3 b2 b1 b0 p0 p1 p2 p3 p4 p5 p6 c0 c1 c2 c3 c4 c5 c6 ");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ForkHandlers, MayLeaveOutWhatAPlaceDoesNotDo) {
  ForkOrder fork_order;
  fork_order.add(ForkPlace::threads, {.in_child = noted<4>.in_child});
  calls.clear();
  fork_order.before();
  fork_order.in_parent();
  fork_order.in_child();
  EXPECT_EQ(calls, "c4 ");
}

/// Ends the child with 0 if the calls there so far are `expected`.
int status_of_child(const char* expected) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(calls == expected ? 0 : 1);
  int status = -1;
  return ::waitpid(child, &status, 0) == child ? status : -1;
}

TEST(ForkHandlers, AreCalledOnceByAForkOfTheProcess) {
  register_fork_handlers(ForkPlace::progress_page, noted<5>);
  register_fork_handlers(ForkPlace::stop_mutex, noted<0>);
  register_fork_handlers(ForkPlace::progress_page, noted<5>);
  calls.clear();
  EXPECT_EQ(status_of_child("b5 b0 c0 c5 "), 0);
  EXPECT_EQ(calls, "b5 b0 p0 p5 ");
}

}  // namespace
}  // namespace moult::internal
