#include "console.hpp"

#include <gtest/gtest.h>

namespace moult::internal::cli {
namespace {

using namespace std::chrono_literals;

TEST(Console, TellsTimesInTheUnitAPersonWouldChoose) {
  EXPECT_EQ(to_text(0ns), "0 ns");
  EXPECT_EQ(to_text(850ns), "850 ns");
  EXPECT_EQ(to_text(43000ns), "43 µs");
  EXPECT_EQ(to_text(1230000ns), "1.2 ms");
  EXPECT_EQ(to_text(18ms), "18 ms");
  EXPECT_EQ(to_text(2500ms), "2.5 s");
  EXPECT_EQ(to_text(90s), "90 s");
}

TEST(Console, CountsInEnglish) {
  EXPECT_EQ(count_text(0, "thread"), "0 threads");
  EXPECT_EQ(count_text(1, "thread"), "1 thread");
}

TEST(Console, TellsSizesInTheUnitAPersonWouldChoose) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(64 << 10), "64 KiB");
  EXPECT_EQ(size_text((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(size_text(3 << 19), "1.5 MiB");
  EXPECT_EQ(size_text(std::uint64_t{37} << 30), "37 GiB");
}

TEST(Console, AlignsColumnsByCharactersNotBytes) {
  EXPECT_EQ(to_table({{"A", "B"}, {"µµ", "x"}, {"long", "y"}}), "A     B\nµµ    x\nlong  y");
}

TEST(Console, HasNoColoursWhereThereIsNoTerminal) { EXPECT_EQ(paint(Colour::bad, "text"), "text"); }

TEST(Console, ShowsControlCharactersInsteadOfSendingThemToTheTerminal) {
  EXPECT_EQ(printable(R"({"name":"a\u001b[31m\u0000\r\n\t\u0085\u007f"})"),
            R"({"name":"a\\u001b[31m\\u0000\\r\n\t\\u0085\\u007f"})");
  EXPECT_EQ(printable("\"\x7f\xC2\x9bm\xC2\xB5\""), "\"\\\\u007f\\\\u009bm\xC2\xB5\"");
  EXPECT_EQ(printable(R"("\\u001b \\r \" \u00e4 \u1234")"), R"("\\u001b \\r \" \u00e4 \u1234")") << "no controls";
}

}  // namespace
}  // namespace moult::internal::cli
