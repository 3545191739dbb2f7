#include "diff/exception_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <vector>

namespace moult::internal::diff {
namespace {

using testing::ElementsAre;

/// Two calls: the first is cleaned up after, the second has a handler of type 1. Types are relative numbers of 4 bytes.
std::vector<std::uint8_t> table_with(std::size_t padding) {
  std::vector<std::uint8_t> table{0xFF, 0x9B, static_cast<std::uint8_t>(16 + padding),
                                  0x01, 0x08, 0x04,
                                  0x05, 0x20, 0x00,  // the first call
                                  0x0A, 0x05, 0x30,
                                  0x01,  // the second call
                                  0x01, 0x00};
  table.insert(table.end(), padding, 0);
  table.insert(table.end(), {0x11, 0x22, 0x33, 0x44});
  return table;
}

TEST(ExceptionTable, GivesCallsAndTheTypesThatTheirHandlersCatch) {
  const std::vector<std::uint8_t> table = table_with(0);
  const std::optional<Handlers> handlers = read_handlers(table);
  ASSERT_TRUE(handlers);
  ASSERT_EQ(handlers->calls.size(), 2);
  EXPECT_EQ(handlers->calls[0].begin, 4);
  EXPECT_EQ(handlers->calls[0].end, 9);
  EXPECT_EQ(handlers->calls[1].landing_pad, 0x30);
  EXPECT_THAT(handlers->numbers, ElementsAre(0x9B, 0x01, 0, 1, 1, 0));
  EXPECT_THAT(handlers->types, ElementsAre(15));
  EXPECT_EQ(handlers->type_size, 4);
}

TEST(ExceptionTable, PaddingDoesNotCount) {
  const std::optional<Handlers> plain = read_handlers(table_with(0));
  const std::optional<Handlers> padded = read_handlers(table_with(3));
  ASSERT_TRUE(plain && padded);
  EXPECT_EQ(plain->numbers, padded->numbers);
  EXPECT_THAT(padded->types, ElementsAre(18));
}

TEST(ExceptionTable, ATableThatIsCutShortIsNone) {
  const std::vector<std::uint8_t> table = table_with(0);
  for (std::size_t size = 0; size + 4 < table.size(); ++size)
    EXPECT_FALSE(read_handlers(std::span(table).first(size))) << size;
}

TEST(ExceptionTable, AChainOfActionsWithoutEndIsNoTable) {
  std::vector<std::uint8_t> table = table_with(0);
  table[13] = 0x00;
  table[14] = 0x7F;  // the next record is one byte back: the same one
  EXPECT_FALSE(read_handlers(table));
}

}  // namespace
}  // namespace moult::internal::diff
