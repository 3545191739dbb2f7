#include "unwind/dwarf_expression.hpp"

#include <dwarf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <optional>
#include <vector>

namespace moult::internal {
namespace {

constexpr std::size_t frame_pointer = 6;
constexpr std::size_t rsp = 7;

class DwarfExpression : public testing::Test {
 protected:
  using Bytes = std::vector<std::uint8_t>;

  /// The expression's value; nothing when it cannot be evaluated.
  std::optional<std::uint64_t> value_of(Bytes operations, std::optional<std::uint64_t> initial = {}) const {
    operations.insert(operations.begin(), static_cast<std::uint8_t>(operations.size()));  // its length, below 128
    std::uint64_t result = 0;
    const bool is_known =
        evaluate_expression(operations.data(), registers_, initial.has_value(), initial.value_or(0), result);
    return is_known ? std::optional(result) : std::nullopt;
  }

  template <class Number>
  static Bytes with(std::uint8_t operation, Number number, std::initializer_list<std::uint8_t> rest = {}) {
    Bytes bytes{operation};
    bytes.resize(1 + sizeof number);
    std::memcpy(bytes.data() + 1, &number, sizeof number);
    bytes.insert(bytes.end(), rest);
    return bytes;
  }

  Registers registers_{};
};

TEST_F(DwarfExpression, ConstantsHaveTheirSizeAndSign) {
  EXPECT_EQ(value_of({DW_OP_lit0 + 31}), 31U);
  EXPECT_EQ(value_of(with(DW_OP_const1u, std::uint8_t{200})), 200U);
  EXPECT_EQ(value_of(with(DW_OP_const1s, std::int8_t{-1})), ~std::uint64_t{0});
  EXPECT_EQ(value_of(with(DW_OP_const2u, std::uint16_t{65535})), 65535U);
  EXPECT_EQ(value_of(with(DW_OP_const2s, std::int16_t{-2})), ~std::uint64_t{1});
  EXPECT_EQ(value_of(with(DW_OP_const4u, 0x80000000U)), 0x80000000U);
  EXPECT_EQ(value_of(with(DW_OP_const4s, std::int32_t{-4})), ~std::uint64_t{3});
  EXPECT_EQ(value_of(with(DW_OP_const8u, 0x8000000000000001U)), 0x8000000000000001U);
  EXPECT_EQ(value_of({DW_OP_constu, 0x80, 0x01}), 128U);
  EXPECT_EQ(value_of({DW_OP_consts, 0x7F}), ~std::uint64_t{0});
}

TEST_F(DwarfExpression, ANumberThatEndsBehindTheExpressionBreaksIt) {
  EXPECT_EQ(value_of({DW_OP_const1u}), std::nullopt);
  EXPECT_EQ(value_of({DW_OP_lit0, DW_OP_const8u, 1, 2, 3}), std::nullopt);
  EXPECT_EQ(value_of({DW_OP_constu, 0x80, 0x80}), std::nullopt);
  EXPECT_EQ(value_of({DW_OP_breg0 + rsp}), std::nullopt);
}

TEST_F(DwarfExpression, ARegisterIsAddedToItsOffset) {
  registers_[rsp] = 0x1000;
  registers_[frame_pointer] = 0x2000;
  EXPECT_EQ(value_of({DW_OP_breg0 + rsp, 8}), 0x1008U);
  EXPECT_EQ(value_of({DW_OP_breg0 + frame_pointer, 0x70}), 0x2000U - 16) << "a negative offset";
}

TEST_F(DwarfExpression, TheInitialValueIsOnTheStackFirst) {
  EXPECT_EQ(value_of({DW_OP_plus_uconst, 16}, 0x100), 0x110U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 1, DW_OP_minus}, 5), 4U) << "the top is subtracted from what lies below";
}

TEST_F(DwarfExpression, ArithmeticWrapsAsAddressesDo) {
  EXPECT_EQ(value_of({DW_OP_lit0 + 6, DW_OP_lit0 + 7, DW_OP_mul}), 42U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 6, DW_OP_lit0 + 7, DW_OP_plus}), 13U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 6, DW_OP_lit0 + 7, DW_OP_minus}), ~std::uint64_t{0});
  EXPECT_EQ(value_of({DW_OP_lit0 + 12, DW_OP_lit0 + 10, DW_OP_and}), 8U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 12, DW_OP_lit0 + 10, DW_OP_or}), 14U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 1, DW_OP_neg}), ~std::uint64_t{0});
  EXPECT_EQ(value_of({DW_OP_lit0, DW_OP_not}), ~std::uint64_t{0});
  EXPECT_EQ(value_of({DW_OP_lit0 + 1, DW_OP_lit0 + 4, DW_OP_shl}), 16U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 16, DW_OP_lit0 + 4, DW_OP_shr}), 1U);
  EXPECT_EQ(value_of(with(DW_OP_const1u, std::uint8_t{1}, {DW_OP_const1u, 64, DW_OP_shl})), 0U);
}

TEST_F(DwarfExpression, ComparisonsAreSigned) {
  const auto compared = [&](std::uint8_t operation) {
    return value_of({DW_OP_consts, 0x7F, DW_OP_lit0 + 1, operation});
  };
  EXPECT_EQ(compared(DW_OP_lt), 1U) << "-1 < 1";
  EXPECT_EQ(compared(DW_OP_le), 1U);
  EXPECT_EQ(compared(DW_OP_gt), 0U);
  EXPECT_EQ(compared(DW_OP_ge), 0U);
  EXPECT_EQ(compared(DW_OP_eq), 0U);
  EXPECT_EQ(compared(DW_OP_ne), 1U);
}

TEST_F(DwarfExpression, TheStackIsRearranged) {
  EXPECT_EQ(value_of({DW_OP_lit0 + 3, DW_OP_dup, DW_OP_plus}), 6U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 3, DW_OP_lit0 + 4, DW_OP_drop}), 3U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 3, DW_OP_lit0 + 4, DW_OP_over}), 3U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 3, DW_OP_lit0 + 4, DW_OP_swap}), 3U);
  EXPECT_EQ(value_of({DW_OP_lit0 + 3, DW_OP_nop}), 3U);
}

TEST_F(DwarfExpression, MemoryIsRead) {
  const std::uint64_t word = 0x1122334455667788;
  registers_[rsp] = reinterpret_cast<std::uintptr_t>(&word);
  EXPECT_EQ(value_of({DW_OP_breg0 + rsp, 0, DW_OP_deref}), word);
  EXPECT_EQ(value_of({DW_OP_breg0 + rsp, 0, DW_OP_deref_size, 2}), 0x7788U);
  EXPECT_EQ(value_of({DW_OP_breg0 + rsp, 0, DW_OP_deref_size, 9}), std::nullopt);
}

TEST_F(DwarfExpression, UnmappedMemoryIsNotRead) { EXPECT_EQ(value_of({DW_OP_lit0 + 8, DW_OP_deref}), std::nullopt); }

TEST_F(DwarfExpression, AnUnknownOperationOrRegisterHasNoValue) {
  EXPECT_EQ(value_of({DW_OP_lit0 + 1, DW_OP_call_frame_cfa}), std::nullopt);
  EXPECT_EQ(value_of({DW_OP_breg0 + 31, 0}), std::nullopt);
}

TEST_F(DwarfExpression, AnEmptyOrOverfullStackHasNoValue) {
  EXPECT_EQ(value_of({}), std::nullopt);
  EXPECT_EQ(value_of({DW_OP_lit0 + 1, DW_OP_plus}), std::nullopt);
  EXPECT_EQ(value_of({DW_OP_lit0 + 1, DW_OP_drop, DW_OP_drop}), std::nullopt);
  EXPECT_EQ(value_of(Bytes(16, DW_OP_lit0 + 1)), 1U);
  EXPECT_EQ(value_of(Bytes(17, DW_OP_lit0 + 1)), std::nullopt);
}

}  // namespace
}  // namespace moult::internal
