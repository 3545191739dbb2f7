#include "protocol/line_splitter.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace moult::internal {
namespace {

std::vector<std::string> lines_of(LineSplitter& splitter) {
  std::vector<std::string> lines;
  while (std::optional<Line> line = splitter.next()) lines.push_back(line->too_long ? "<too long>" : line->text);
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineSplitter, ReturnsWholeLinesOnly) {
  LineSplitter splitter;
  splitter.feed("one\ntwo\r\n\nthr");
  EXPECT_EQ(lines_of(splitter), (Lines{"one", "two", ""}));
  EXPECT_EQ(splitter.pending(), 3u);
  splitter.feed("ee\n");
  EXPECT_EQ(lines_of(splitter), Lines{"three"});
}

TEST(LineSplitter, ALineOfTheLimitPassesAndALongerOneIsReportedOnce) {
  LineSplitter splitter(4);
  splitter.feed("1234\n12345\nok\n");
  EXPECT_EQ(lines_of(splitter), (Lines{"1234", "<too long>", "ok"}));
}

TEST(LineSplitter, ALineThatIsTooLongIsNotKept) {
  LineSplitter splitter(1000);
  Lines all;
  for (int round = 0; round < 100; ++round) {
    splitter.feed(std::string(700, 'x'));
    for (std::string& line : lines_of(splitter)) all.push_back(std::move(line));
    EXPECT_LE(splitter.pending(), 1000u);
  }
  splitter.feed("\nafter\n");
  for (std::string& line : lines_of(splitter)) all.push_back(std::move(line));
  EXPECT_EQ(all, (Lines{"<too long>", "after"}));
}

TEST(LineSplitter, HowTheBytesArriveMakesNoDifference) {
  std::mt19937 random(42);
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (std::size_t length = random() % 300; length > 0; --length) bytes += "ab\n"[random() % 3];
    LineSplitter whole(8);
    whole.feed(bytes);
    LineSplitter pieces(8);
    Lines from_pieces;
    for (std::size_t begin = 0; begin < bytes.size();) {
      const std::size_t size = 1 + random() % 20;
      pieces.feed(std::string_view(bytes).substr(begin, size));
      for (std::string& line : lines_of(pieces)) from_pieces.push_back(std::move(line));
      begin += size;
    }
    EXPECT_EQ(from_pieces, lines_of(whole)) << bytes;
  }
}

}  // namespace
}  // namespace moult::internal
