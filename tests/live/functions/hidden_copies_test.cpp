// A plugin compiled with -fvisibility-inlines-hidden has a header's functions for itself.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "fixtures/rates.hpp"
#include "redefine.hpp"

namespace moult {
namespace subject {

using testing::Contains;
using testing::HasSubstr;

int rate_v2(int x) { return -x; }
int fee_v2(int x) { return -2 * x; }

/// A function of the library, which stays loaded.
int (*plugin_function(const char* path, const char* name))(int) {
  void* const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(dlerror());
  return reinterpret_cast<int (*)(int)>(dlsym(handle, name));
}

TEST(HiddenCopies, APluginsOwnCopyIsRedefinedTooAndRolledBack) {
  int (*const plugin_rate)(int) = plugin_function(RATES, "plugin_rate");
  ASSERT_EQ(plugin_rate(1), 40003);
  const UpdateReport report = redefine(rate, rate_v2);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(rate(1), -1);
  EXPECT_EQ(plugin_rate(1), -1);
  EXPECT_THAT(report.changes, Contains(HasSubstr("live_rates")));
  roll_back(report.id);
  EXPECT_EQ(plugin_rate(1), 40003);
}

TEST(HiddenCopies, APluginsFunctionThatIsNotKnownToBeACopyIsWarnedOf) {
  int (*const plugin_rate)(int) = plugin_function(RATES_WITHOUT_DEBUG, "plugin_rate");
  const UpdateReport report = redefine(rate, rate_v2);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(plugin_rate(1), 40003);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("live_rates_without_debug")));
}

TEST(HiddenCopies, ACopyThatWasInlinedIntoAPluginIsRefusedWithItsPlace) {
  int (*const plugin_fee)(int) = plugin_function(RATES, "plugin_fee");
  const UpdateReport report = redefine(fee, fee_v2);
  ASSERT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("rates.cpp:5 (plugin_fee in "));
  EXPECT_EQ(plugin_fee(1), 40005);
}

}  // namespace subject
}  // namespace moult
