#include "platform/loaded_modules.hpp"

#include <gtest/gtest.h>

#include <new>
#include <thread>

namespace moult::internal {
namespace {

std::size_t count_modules() {
  std::size_t count = 0;
  visit_loaded_modules([&](const dl_phdr_info&) { return ++count > 0; });
  return count;
}

TEST(LoadedModules, AreVisitedUntilAVisitReturnsFalse) {
  EXPECT_GT(count_modules(), 2u);
  std::size_t count = 0;
  visit_loaded_modules([&](const dl_phdr_info&) { return ++count < 2; });
  EXPECT_EQ(count, 2u);
}

TEST(LoadedModules, AVisitThatThrowsReleasesTheLoadersLock) {
  EXPECT_THROW(visit_loaded_modules([](const dl_phdr_info&) -> bool { throw std::bad_alloc(); }), std::bad_alloc);
  std::size_t count = 0;
  std::thread([&] { count = count_modules(); }).join();
  EXPECT_GT(count, 2u);
}

}  // namespace
}  // namespace moult::internal
