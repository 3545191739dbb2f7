#include "base/current.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace moult::internal {
namespace {

struct Job {};
struct OtherJob {};

TEST(Current, IsNullOutsideOfEveryScope) { EXPECT_EQ(Current<Job>::get(), nullptr); }

TEST(Current, ComesBackToTheOuterObjectAtTheEndOfAScope) {
  Job outer;
  Job inner;
  {
    Current<Job>::Scope outer_scope(outer);
    {
      Current<Job>::Scope inner_scope(inner);
      EXPECT_EQ(Current<Job>::get(), &inner);
    }
    EXPECT_EQ(Current<Job>::get(), &outer);
  }
  EXPECT_EQ(Current<Job>::get(), nullptr);
}

TEST(Current, IsAnotherOneInEachThread) {
  Job job;
  Current<Job>::Scope scope(job);
  Job* seen_elsewhere = &job;
  std::thread([&] { seen_elsewhere = Current<Job>::get(); }).join();
  EXPECT_EQ(seen_elsewhere, nullptr);
  EXPECT_EQ(Current<Job>::get(), &job);
}

TEST(Current, IsAnotherOneForEachType) {
  Job job;
  Current<Job>::Scope scope(job);
  EXPECT_EQ(Current<OtherJob>::get(), nullptr);
}

}  // namespace
}  // namespace moult::internal
