// Conversions of objects that are refused: before anything is touched, with the size needed and the ways on.
#include <array>
#include <memory>
#include <string>

#include "moult/data_update.hpp"
#include "refusal.hpp"

namespace moult {
namespace subject {

using limits::apply;
using limits::expect_refused;

struct Small : Updatable<Small> {
  int number = 5;
};
struct Large {
  std::array<char, 100> text{};
};
struct alignas(32) Strict {
  int number = 0;
};

template <class Old, class New>
UpdateReport convert() {
  return apply(std::make_unique<EagerConversionUpdate<Old, New>>("convert", [](const Old&) { return New(); }));
}

TEST(ConversionLimits, ObjectsThatDoNotFitTheirSlotsNameTheSizeAndTheTwoWaysOn) {
  auto small = std::make_unique<Small>();
  expect_refused(convert<Small, Large>(), ErrorCode::layout_mismatch,
                 {"moult::subject::Large: its objects need 100 bytes, and the slots of moult::subject::Small have 16",
                  "give the class a reserve", "moult::Updatable<moult::subject::Small, 96>",
                  "or keep what is new beside the objects (moult::add_field_to_class)"});
  EXPECT_EQ(small->number, 5);
  EXPECT_EQ(DataAccessor<Small>().size(), 1u);
}

struct Roomy : Updatable<Roomy, 60> {
  std::array<char, 20> text{};
};

TEST(ConversionLimits, ObjectsOfAStricterAlignmentAreRefused) {
  auto roomy = std::make_unique<Roomy>();
  expect_refused(convert<Roomy, Strict>(), ErrorCode::layout_mismatch,
                 {"moult::subject::Strict: its objects are aligned to 32 bytes, and the slots of moult::subject::Roomy "
                  "to 16"});
  EXPECT_EQ(DataAccessor<Roomy>().size(), 1u);
}

struct Other {
  int number = 6;
};
struct Third {
  int number = 7;
};

TEST(ConversionLimits, APoolHoldsTwoClassesAtATime) {
  auto first = std::make_unique<Small>();
  EXPECT_EQ((convert<Small, Other>().state), UpdateState::applied);
  auto second = std::make_unique<Small>();
  UpdateReport report = convert<Small, Third>();
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::unsupported);
  EXPECT_THAT(report.reason,
              testing::HasSubstr("the pool of moult::subject::Small holds objects of two classes already, "
                                 "moult::subject::Small and moult::subject::Other"));
  EXPECT_EQ(second->number, 5);
  EXPECT_EQ(first->number, 6);
}

TEST(ConversionLimits, ATransformerThatMakesObjectsOfTheClassIsRefused) {
  auto small = std::make_unique<Small>();
  std::unique_ptr<Small> more;
  UpdateReport report = apply(std::make_unique<EagerConversionUpdate<Small, Other>>("makes", [&](const Small&) {
    more = std::make_unique<Small>();
    return Other();
  }));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, testing::HasSubstr("the transformer made or deleted objects of the class it converts"));
  EXPECT_EQ(small->number, 5);
}

TEST(ConversionLimits, WithoutAnInverseThereIsNoRollback) {
  auto small = std::make_unique<Small>();
  UpdateReport report = convert<Small, Other>();
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  limits::expect_error(ErrorCode::unsupported, {"moult::subject::Small", "no inverse transformer was given"},
                       [&] { roll_back(report.id); });
  EXPECT_EQ(small->number, 6);
}

TEST(ConversionLimits, WhatWasConvertedOnIsRolledBackInTurn) {
  auto small = std::make_unique<Small>();
  UpdateReport report = apply(std::make_unique<EagerConversionUpdate<Small, Other>>(
      "first", [](const Small&) { return Other(); },
      ConversionOptions<Small, Other>{.inverse = [](const Other&) { return Small(); }}));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  ASSERT_EQ((convert<Other, Third>().state), UpdateState::applied);
  limits::expect_error(ErrorCode::unsupported, {"by now; roll back the update that did that first"},
                       [&] { roll_back(report.id); });
  EXPECT_EQ(small->number, 7);
}

}  // namespace subject
}  // namespace moult
