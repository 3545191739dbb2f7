#include "functions/update_calls.hpp"

#include <dlfcn.h>
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

/// The module of fixtures/calls.cpp.
class CallsOfAModule : public testing::Test {
 protected:
  CallsOfAModule() {
    const std::optional<std::size_t> number = program_.module_at(CodeAddress{address_of("calls_called")});
    if (number) calls_ = calls_in(program_, *number);
  }
  ~CallsOfAModule() override { ::dlclose(library_); }

  std::uintptr_t address_of(const char* name) const {
    return reinterpret_cast<std::uintptr_t>(::dlsym(library_, name));
  }

  void* library_ = ::dlopen(CALLS, RTLD_NOW);
  Program program_ = Program::of_this_process();
  std::optional<ModuleCalls> calls_;
};

TEST_F(CallsOfAModule, HaveCallersAndTakenAddresses) {
  ASSERT_TRUE(calls_);
  const CodeAddress called{address_of("calls_called")};
  EXPECT_TRUE(calls_->taken.contains(called)) << "by calls_pointer";
  ASSERT_TRUE(calls_->callers.contains(called));
  for (CodeAddress caller : calls_->callers.at(called)) EXPECT_EQ(calls_->names.at(caller), "calls_caller");
  const CodeAddress only_by_code{address_of("calls_only_by_code")};
  EXPECT_TRUE(calls_->taken.contains(only_by_code)) << "by calls_takes_address";
  ASSERT_TRUE(calls_->takers.contains(only_by_code));
  for (CodeAddress taker : calls_->takers.at(only_by_code)) EXPECT_EQ(calls_->names.at(taker), "calls_takes_address");
}

TEST_F(CallsOfAModule, IncludeAVtablesFunctionsAndExtent) {
  ASSERT_TRUE(calls_);
  const auto object = reinterpret_cast<const void* (*)()>(address_of("calls_object"))();
  const auto vtable = *static_cast<const std::uintptr_t*>(object);
  const auto after = calls_->objects.upper_bound(vtable);
  ASSERT_NE(after, calls_->objects.begin());
  const auto [begin, end] = *std::prev(after);
  EXPECT_EQ(begin, vtable - 2 * sizeof(void*)) << "an offset and the type's description come first";
  EXPECT_EQ(end, vtable + 3 * sizeof(void*)) << "two destructors and a function";
  ASSERT_TRUE(calls_->data.contains(vtable + 2 * sizeof(void*)));
  EXPECT_NE(calls_->names.at(calls_->data.at(vtable + 2 * sizeof(void*))).find("WithVtable::one() const"),
            std::string::npos);
}

}  // namespace
}  // namespace moult::internal
