#include "functions/update_calls.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

constexpr CodeAddress entry{1};
constexpr CodeAddress helper{2};
constexpr CodeAddress deeper{3};
constexpr CodeAddress method{4};

using Functions = std::set<CodeAddress>;

TEST(UpdateCalls, FunctionsThatOnlyUnreachableOnesCallAreUnreachable) {
  ModuleCalls calls;
  calls.callers = {{helper, {entry}}, {deeper, {helper, entry}}};
  EXPECT_EQ(with_helpers(calls, {entry}, {}), (Functions{entry, helper, deeper}));
}

TEST(UpdateCalls, WhatAnotherFunctionCallsAsWellIsNot) {
  ModuleCalls calls;
  calls.callers = {{helper, {entry}}, {deeper, {helper, method}}};
  EXPECT_EQ(with_helpers(calls, {entry}, {}), (Functions{entry, helper}));
}

TEST(UpdateCalls, NorIsWhatSomebodyMayHaveTheAddressOf) {
  ModuleCalls calls;
  calls.callers = {{helper, {entry}}, {deeper, {helper}}};
  calls.taken = {helper};
  EXPECT_EQ(with_helpers(calls, {entry}, {}), Functions{entry});
}

TEST(UpdateCalls, NorWhatARedirectionLeadsTo) {
  ModuleCalls calls;
  calls.callers = {{helper, {entry}}};
  EXPECT_EQ(with_helpers(calls, {entry}, {helper}), Functions{entry});
}

TEST(UpdateCalls, NorWhatNobodyIsSeenToCall) {
  ModuleCalls calls;
  calls.names = {{method, "Data_v2::print()"}};
  EXPECT_EQ(with_helpers(calls, {entry}, {}), Functions{entry});
}

TEST(UpdateCalls, AModulesOwnCallsAreRead) {
  const Program program = Program::of_this_process();
  const std::optional<std::size_t> here =
      program.module_at(CodeAddress{reinterpret_cast<std::uintptr_t>(&with_helpers)});
  ASSERT_TRUE(here);
  const std::optional<ModuleCalls> calls = calls_in(program, *here);
  ASSERT_TRUE(calls);
  const CodeAddress called{reinterpret_cast<std::uintptr_t>(&with_helpers)};
  EXPECT_TRUE(calls->taken.contains(called)) << "here";
  ASSERT_TRUE(calls->callers.contains(called));
  for (CodeAddress caller : calls->callers.at(called))
    EXPECT_NE(calls->names.at(caller).find("TestBody"), std::string::npos);
}

}  // namespace
}  // namespace moult::internal
