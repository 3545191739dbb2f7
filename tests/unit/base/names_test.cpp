#include "base/names.hpp"

#include <gtest/gtest.h>

#include <exception>

namespace moult::internal {
namespace {

TEST(Demangle, LeavesPlainNamesAlone) {
  EXPECT_EQ(demangle("f"), "f");
  EXPECT_EQ(demangle("_Z1fi"), "f(int)");
  EXPECT_EQ(demangle("_Znonsense"), "_Znonsense");
}

TEST(Demangle, KnowsTypes) {
  EXPECT_EQ(name_of_type(typeid(float)), "float");
  EXPECT_EQ(name_of_type(typeid(std::exception)), "std::exception");
  EXPECT_EQ(name_of_type(typeid(int(const char*))), "int (char const*)");
}

}  // namespace
}  // namespace moult::internal
