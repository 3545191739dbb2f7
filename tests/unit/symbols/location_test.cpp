// Location expressions, written by hand, and as compilers wrote them.
#include "symbols/location.hpp"

#include <dwarf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "fixtures.hpp"
#include "symbols/frame_variables.hpp"

namespace moult::internal {
namespace {

using Kind = LocationPiece::Kind;

/// A frame of the test's own: a few registers, and memory in which each word is its own address.
class MadeFrame final : public FrameValues {
 public:
  std::map<std::uint64_t, std::uint64_t> registers;
  std::map<std::uint64_t, std::uint64_t> at_call;

  bool read_register(std::uint64_t number, std::span<std::byte> to) const override {
    const auto known = registers.find(number);
    if (known == registers.end() || to.size() > sizeof known->second) return false;
    std::memcpy(to.data(), &known->second, to.size());
    return true;
  }
  bool read_memory(std::uint64_t address, std::span<std::byte> to) const override {
    if (address < 4096 || to.size() > sizeof address) return false;
    std::memcpy(to.data(), &address, to.size());
    return true;
  }
  std::optional<std::uint64_t> cfa() const override { return 0x8000; }
  std::optional<std::uint64_t> frame_base() const override { return 0x8010; }
  std::optional<std::uint64_t> entry_value(const LocationExpression& inner) const override {
    const std::optional<std::uint64_t> number = register_named_by(inner);
    const auto known = at_call.find(number.value_or(0));
    return known != at_call.end() ? std::optional(known->second) : std::nullopt;
  }
};

LocationOperation op(int code, std::uint64_t first = 0, std::uint64_t second = 0) {
  LocationOperation made;
  made.code = static_cast<std::uint8_t>(code);
  made.first = first;
  made.second = second;
  return made;
}

LocationOperation typed(int code, OperandType type, std::uint64_t first = 0) {
  LocationOperation made = op(code, first);
  made.type = type;
  return made;
}

std::optional<std::uint64_t> number_of_expression(const LocationExpression& expression, const MadeFrame& frame = {}) {
  const std::optional<std::vector<std::byte>> bytes = read_value(evaluate(expression, frame), 8, frame);
  if (!bytes) return std::nullopt;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes->data(), sizeof word);
  return word;
}

/// What arithmetic leaves, as a value.
std::optional<std::uint64_t> value_of(LocationExpression expression, const MadeFrame& frame = {}) {
  expression.push_back(op(DW_OP_stack_value));
  return number_of_expression(expression, frame);
}

TEST(LocationExpressions, AVariableOfTheFrameIsCountedFromItsBase) {
  const Location location = evaluate({op(DW_OP_fbreg, static_cast<std::uint64_t>(-20))}, MadeFrame());
  ASSERT_EQ(location.size(), 1u);
  EXPECT_EQ(location.front().kind, Kind::memory);
  EXPECT_EQ(location.front().place, 0x8010u - 20);
}

TEST(LocationExpressions, ARegisterIsAPlaceAndItsContentsAnAddress) {
  MadeFrame frame;
  frame.registers = {{3, 42}, {6, 0x9000}};
  EXPECT_EQ(number_of_expression({op(DW_OP_reg3)}, frame), 42u);
  EXPECT_EQ(number_of_expression({op(DW_OP_regx, 3)}, frame), 42u);
  EXPECT_EQ(number_of_expression({op(DW_OP_breg6, 8)}, frame), 0x9008u) << "what is there";
  EXPECT_EQ(number_of_expression({op(DW_OP_call_frame_cfa)}, frame), 0x8000u);
}

TEST(LocationExpressions, WhatTheFrameHasLostIsMissing) {
  EXPECT_EQ(evaluate({op(DW_OP_breg0, 8)}, MadeFrame()).front().kind, Kind::missing);
  EXPECT_EQ(number_of_expression({op(DW_OP_reg0)}), std::nullopt);
  EXPECT_EQ(value_of({op(DW_OP_lit5), op(DW_OP_breg0, 0), op(DW_OP_plus)}), std::nullopt);
}

TEST(LocationExpressions, ArithmeticIsDoneOnWords) {
  const auto minus = static_cast<std::uint64_t>(-7);
  EXPECT_EQ(value_of({op(DW_OP_lit6), op(DW_OP_lit7), op(DW_OP_mul)}), 42u);
  EXPECT_EQ(value_of({op(DW_OP_lit6), op(DW_OP_lit7), op(DW_OP_minus)}), static_cast<std::uint64_t>(-1));
  EXPECT_EQ(value_of({op(DW_OP_consts, minus), op(DW_OP_lit2), op(DW_OP_div)}), static_cast<std::uint64_t>(-3));
  EXPECT_EQ(value_of({op(DW_OP_consts, minus), op(DW_OP_lit1), op(DW_OP_shra)}), static_cast<std::uint64_t>(-4));
  EXPECT_EQ(value_of({op(DW_OP_consts, minus), op(DW_OP_lit0), op(DW_OP_lt)}), 1u);
  EXPECT_EQ(value_of({op(DW_OP_lit1), op(DW_OP_lit0), op(DW_OP_div)}), std::nullopt) << "by zero";
  EXPECT_EQ(value_of({op(DW_OP_lit1), op(DW_OP_lit2), op(DW_OP_lit3), op(DW_OP_rot), op(DW_OP_drop)}), 1u);
  EXPECT_EQ(value_of({op(DW_OP_lit1), op(DW_OP_lit2), op(DW_OP_pick, 1), op(DW_OP_plus)}), 3u);
  EXPECT_EQ(value_of({op(DW_OP_plus)}), std::nullopt) << "of nothing";
}

TEST(LocationExpressions, TypesOfTheirOwnSizeWrapAndKeepTheirSign) {
  constexpr OperandType small{1, false, false};
  constexpr OperandType integer{4, true, false};
  MadeFrame frame;
  frame.registers = {{0, 0xFFFF'FFFF}};
  EXPECT_EQ(value_of({typed(DW_OP_regval_type, integer, 0)}, frame), static_cast<std::uint64_t>(-1));
  EXPECT_EQ(value_of({typed(DW_OP_const_type, small, 250), typed(DW_OP_const_type, small, 10), op(DW_OP_plus)}), 4u);
  EXPECT_EQ(value_of({op(DW_OP_const2u, 0x1FF), typed(DW_OP_convert, small)}), 0xFFu);
}

TEST(LocationExpressions, ABranchLeadsToItsOperationAndALoopEnds) {
  LocationExpression skips{op(DW_OP_lit1), op(DW_OP_bra, 1), op(DW_OP_lit2), op(DW_OP_lit3)};
  skips[1].offset = 1;
  skips[2].offset = 4;
  skips[3].offset = 5;
  EXPECT_EQ(value_of(skips), 3u);
  LocationExpression loops{op(DW_OP_skip, static_cast<std::uint64_t>(-3))};
  EXPECT_EQ(evaluate(loops, MadeFrame()).front().kind, Kind::missing);
}

TEST(LocationExpressions, AVariableInPiecesIsPutTogether) {
  MadeFrame frame;
  frame.registers = {{3, 0x1122'3344}};
  const LocationExpression expression{op(DW_OP_reg3), op(DW_OP_piece, 4), op(DW_OP_lit9), op(DW_OP_stack_value),
                                      op(DW_OP_piece, 4)};
  EXPECT_EQ(number_of_expression(expression, frame), 0x9'1122'3344u);
  const LocationExpression half{op(DW_OP_reg3), op(DW_OP_piece, 4), op(DW_OP_piece, 4)};
  const Location location = evaluate(half, frame);
  ASSERT_EQ(location.size(), 2u);
  EXPECT_EQ(location.back().kind, Kind::missing);
  EXPECT_EQ(read_value(location, 8, frame), std::nullopt);
}

TEST(LocationExpressions, AnEntryValueIsWhatTheCallerPassed) {
  LocationOperation entry = op(DW_OP_entry_value);
  entry.inner = {op(DW_OP_reg5)};
  MadeFrame frame;
  EXPECT_EQ(value_of({entry}, frame), std::nullopt);
  frame.at_call = {{5, 40}};
  EXPECT_EQ(value_of({entry, op(DW_OP_lit2), op(DW_OP_plus)}, frame), 42u);
}

TEST(LocationExpressions, AnUnknownOperationMakesItMissing) {
  EXPECT_EQ(value_of({op(DW_OP_lit1), op(DW_OP_push_object_address)}), std::nullopt);
  EXPECT_EQ(value_of({op(DW_OP_form_tls_address)}), std::nullopt);
}

/// Functions that compilers wrote, read from files.
class WrittenLocations : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { MOULT_NEEDS_FIXTURE(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Programs, WrittenLocations,
                         testing::Values("inlined_gcc_O0_dwarf4.so", "inlined_gcc_O0_dwarf5.so",
                                         "inlined_gcc_O2_dwarf4.so", "inlined_gcc_O2_dwarf5.so",
                                         "inlined_clang_O0_dwarf4.so", "inlined_clang_O0_dwarf5.so",
                                         "inlined_clang_O2_dwarf4.so", "inlined_clang_O2_dwarf5.so", "inlined_split.so",
                                         "inlined_shared.so"),
                         [](const auto& tested) {
                           const std::string name = tested.param;
                           return name.substr(0, name.find('.'));
                         });

TEST_P(WrittenLocations, EveryParameterIsKnownAtTheFunctionsEntry) {
  const Program program = Program::of_file(fixture(GetParam()));
  const bool is_optimised = std::string(GetParam()).find("O0") == std::string::npos;
  std::size_t count = 0;
  for (const FunctionSymbol& function : program.search("", 1000)) {
    const std::optional<FrameDescription> described = describe_frame(program, function.range.begin);
    if (!described) continue;
    const FrameFunction& outermost = described->functions.back();
    EXPECT_FALSE(outermost.is_inlined);
    EXPECT_FALSE(outermost.name.empty());
    EXPECT_EQ(described->entry, function.range.begin);
    EXPECT_FALSE(described->frame_base.empty());
    EXPECT_GE(described->body, described->entry);
    for (const FrameVariable& variable : outermost.variables) {
      if (!variable.is_parameter) continue;
      EXPECT_FALSE(variable.type.name.empty()) << variable.name;
      EXPECT_GT(variable.type.size, 0u) << variable.name;
      EXPECT_TRUE(is_optimised || !variable.has_list) << variable.name;
      if (is_optimised && variable.entries.empty()) continue;  // nobody uses it
      const auto at_entry =
          std::find_if(variable.entries.begin(), variable.entries.end(),
                       [&](const LocationEntry& entry) { return entry.code.contains(function.range.begin); });
      ASSERT_NE(at_entry, variable.entries.end()) << variable.name << " of " << outermost.name;
      EXPECT_FALSE(at_entry->expression.empty());
      ++count;
    }
  }
  EXPECT_GT(count, 0u);
}

}  // namespace
}  // namespace moult::internal
