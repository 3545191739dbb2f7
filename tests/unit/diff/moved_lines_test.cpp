// The lines of a preprocessed source, counted as in the source before an edit.
#include "diff/moved_lines.hpp"

#include <gtest/gtest.h>

#include <string>

namespace moult::internal::diff {
namespace {

std::string with(const MovedLines& moved, const char* text) {
  return with_old_lines(text, moved, [](const std::string& name) { return "/src/" + name; });
}

TEST(MovedLines, EachFunctionGetsTheLineThatItHad) {
  EXPECT_EQ(with({{"/src/app.cpp", {{2, -1}, {4, -3}}}}, "# 1 \"app.cpp\"\n\nf\n\ng\nh\n"),
            "# 1 \"app.cpp\"\n\n# 1 \"app.cpp\"\nf\n\n# 1 \"app.cpp\"\ng\nh\n");
}

TEST(MovedLines, OtherFilesKeepTheirs) {
  EXPECT_EQ(with({{"/src/app.cpp", {{1, 5}}}}, "# 1 \"app.cpp\"\nf\n# 1 \"a.hpp\" 1\nx\ny\n# 2 \"app.cpp\" 2\ng\n"),
            "# 6 \"app.cpp\"\nf\n# 1 \"a.hpp\" 1\nx\ny\n# 7 \"app.cpp\" 2\ng\n");
}

TEST(MovedLines, WhatLooksLikeAMarkIsNone) {
  EXPECT_EQ(with({{"/src/app.cpp", {{1, 5}}}}, "# 1 \"app.cpp\"\n# pragma x\n# 3\n#define A \"b\"\nlast"),
            "# 6 \"app.cpp\"\n# pragma x\n# 3\n#define A \"b\"\nlast");
}

}  // namespace
}  // namespace moult::internal::diff
