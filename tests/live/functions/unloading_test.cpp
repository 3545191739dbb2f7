// A program may close its libraries whenever it likes. What was changed, or is jumped to, must not go away with them.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "moult/error.hpp"
#include "redefine.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using Value = int (*)(int);

MOULT_UPDATABLE int fresh_value(int x) { return x + 100; }
MOULT_UPDATABLE int old_value(int x) { return x; }

/// A library of the program, closed when it goes.
class Plugin final {
 public:
  explicit Plugin(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
  }
  ~Plugin() { dlclose(handle_); }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  Value value() const { return reinterpret_cast<Value>(dlsym(handle_, "plugin_value")); }

  static bool is_loaded(const char* path) {
    void* const handle = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    if (handle != nullptr) dlclose(handle);
    return handle != nullptr;
  }

 private:
  void* handle_;
};

TEST(Unloading, ALibraryWithARedefinedFunctionStaysSoThatTheChangeCanBeTakenBack) {
  UpdateReport report;
  Value value = nullptr;
  {
    Plugin plugin(PLUGIN_ONE);
    value = plugin.value();
    report = redefine(value, fresh_value);
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  }
  ASSERT_TRUE(Plugin::is_loaded(PLUGIN_ONE));
  Plugin other(PLUGIN_TWO);  // would be loaded where the first one was
  EXPECT_EQ(value(1), 101);
  EXPECT_EQ(other.value()(1), 0x20001);
  roll_back(report.id);
  EXPECT_EQ(value(1), 0x10001);
  EXPECT_EQ(other.value()(1), 0x20001);
}

TEST(Unloading, ALibraryThatCallsAreRedirectedToStays) {
  {
    Plugin plugin(PLUGIN_ONE);
    ASSERT_EQ(redefine(old_value, plugin.value()).state, UpdateState::applied);
  }
  ASSERT_TRUE(Plugin::is_loaded(PLUGIN_ONE));
  EXPECT_EQ(old_value(1), 0x10001);
}

TEST(Unloading, ALibraryThatCallsWereRedirectedToStaysAfterTheRollback) {
  {
    Plugin plugin(PLUGIN_ONE);
    const UpdateReport report = redefine(old_value, plugin.value());
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
    roll_back(report.id);
  }
  EXPECT_TRUE(Plugin::is_loaded(PLUGIN_ONE)) << "a thread may be on its way into it";
}

TEST(Unloading, ALibraryOfWhichNothingWasChangedGoes) {
  {
    Plugin plugin(PLUGIN_TWO);
    SafeRedefineUpdate update("never applied", plugin.value(), fresh_value);
    update.prepare();
    EXPECT_TRUE(Plugin::is_loaded(PLUGIN_TWO));
  }
  EXPECT_FALSE(Plugin::is_loaded(PLUGIN_TWO));
}

}  // namespace subject
}  // namespace moult
