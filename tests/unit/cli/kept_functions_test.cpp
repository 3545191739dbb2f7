#include "kept_functions.hpp"

#include <gtest/gtest.h>

namespace moult::internal::cli {
namespace {

TEST(KeptFunctions, AnInlineFunctionMayNotBeDropped) {
  EXPECT_EQ(
      with_functions_kept("define linkonce_odr noundef i32 @_ZNK1A1fEv(%class.A* %0) #0 comdat {\n  ret i32 1\n}\n"),
      "define weak_odr noundef i32 @_ZNK1A1fEv(%class.A* %0) #0 comdat {\n  ret i32 1\n}\n");
}

TEST(KeptFunctions, AMethodOfAnUnnamedNamespaceStaysHidden) {
  EXPECT_EQ(with_functions_kept("define internal void @_ZN12_GLOBAL__N_11AC2Ei(%class.A* %0) #0 {"),
            "define weak_odr hidden void @_ZN12_GLOBAL__N_11AC2Ei(%class.A* %0) #0 {");
}

TEST(KeptFunctions, OtherLinesAreAsTheyWere) {
  for (const char* line : {
           "define internal void @_GLOBAL__sub_I_a.cpp() #0 section \".text.startup\" {\n",
           "define internal void @_ZL6helperv() {\n",
           "define dso_local void @_Z1fv() {\n",
           "define available_externally void @_ZNSsC1Ev() {\n",
           "  ; define linkonce_odr void @_ZN1AC2Ei()\n",
           "@text = constant [30 x i8] c\"\\0Adefine linkonce_odr void @a()\"\n\n\n",
           "",
       })
    EXPECT_EQ(with_functions_kept(line), line);
}

}  // namespace
}  // namespace moult::internal::cli
