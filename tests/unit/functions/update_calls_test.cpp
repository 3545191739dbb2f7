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

TEST(UpdateCalls, AFunctionThatAnotherOneCallsAsWellIsReachable) {
  ModuleCalls calls;
  calls.callers = {{helper, {entry}}, {deeper, {helper, method}}};
  EXPECT_EQ(with_helpers(calls, {entry}, {}), (Functions{entry, helper}));
}

TEST(UpdateCalls, AFunctionWhoseAddressIsTakenIsReachable) {
  ModuleCalls calls;
  calls.callers = {{helper, {entry}}, {deeper, {helper}}};
  calls.taken = {helper};
  EXPECT_EQ(with_helpers(calls, {entry}, {}), Functions{entry});
}

TEST(UpdateCalls, ATargetOfARedirectionIsReachable) {
  ModuleCalls calls;
  calls.callers = {{helper, {entry}}};
  EXPECT_EQ(with_helpers(calls, {entry}, {helper}), Functions{entry});
}

TEST(UpdateCalls, AFunctionWithoutAKnownCallerIsReachable) {
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

/// A vtable with two functions at least.
struct WithVtable {
  virtual ~WithVtable() = default;
  virtual int one() const { return 1; }
};

TEST(UpdateCalls, AVtablesFunctionsAndExtentAreRead) {
  const WithVtable object;
  const auto vtable = *reinterpret_cast<const std::uintptr_t*>(&object);
  const Program program = Program::of_this_process();
  const std::optional<std::size_t> here = program.module_at(CodeAddress{vtable});
  ASSERT_TRUE(here);
  const std::optional<ModuleCalls> calls = calls_in(program, *here);
  ASSERT_TRUE(calls);
  const auto after = calls->objects.upper_bound(vtable);
  ASSERT_NE(after, calls->objects.begin());
  const auto [begin, end] = *std::prev(after);
  EXPECT_EQ(begin, vtable - 2 * sizeof(void*)) << "an offset and the type's description come first";
  EXPECT_EQ(end, vtable + 3 * sizeof(void*)) << "two destructors and a function";
  ASSERT_TRUE(calls->data.contains(vtable + 2 * sizeof(void*)));
  EXPECT_NE(calls->names.at(calls->data.at(vtable + 2 * sizeof(void*))).find("WithVtable::one() const"),
            std::string::npos);
}

}  // namespace
}  // namespace moult::internal
