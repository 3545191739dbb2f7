// Conversions of objects that are refused before anything is changed, with the size needed and the alternatives.
#include <array>
#include <memory>
#include <string>

#include "moult/alterability.hpp"
#include "moult/data_update.hpp"
#include "moult/lazy_update.hpp"
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

MOULT_UPDATABLE int plain() { return 1; }
MOULT_UPDATABLE int plain_v2() { return 2; }

template <class Old, class New>
UpdateReport convert() {
  return apply(std::make_unique<EagerConversionUpdate<Old, New>>("convert", [](const Old&) { return New(); }));
}

TEST(ConversionLimits, ObjectsThatDoNotFitTheirSlotsNameTheSizeAndTheTwoWaysOn) {
  auto small = std::make_unique<Small>();
  expect_refused(convert<Small, Large>(), ErrorCode::layout_mismatch,
                 {"moult::subject::Large: its objects need 100 bytes, and the slots of moult::subject::Small have 16",
                  "give moult::subject::Small a reserve of 96 bytes", "moult::Updatable<moult::subject::Small, 96>",
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

TEST(ConversionLimits, FunctionsToRedefineWithAClassThatIsNotRedefinedAreRefused) {
  struct Same {
    int number = 6;
  };
  auto small = std::make_unique<Small>();
  const auto convert_with = [](ClassRedefinition redefinition) {
    const ConversionOptions<Small, Same> options{.redefinition = std::move(redefinition)};
    return apply(std::make_unique<EagerConversionUpdate<Small, Same>>(
        "convert", [](const Small&) { return Same(); }, options));
  };
  for (const ClassRedefinition& asked : {ClassRedefinition{.also = {Redefinition(plain, plain_v2)}},
                                         ClassRedefinition{.unmatched = UnmatchedMembers::kept}})
    expect_refused(
        convert_with(asked), ErrorCode::invalid_argument,
        {"moult::subject::Small: the options say how to redefine the class", "add .rebind = moult::Rebind::yes"});
  EXPECT_EQ(small->number, 5);
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

template <class Old, class New>
UpdateReport convert_lazily(const ConversionOptions<Old, New>& options = {}) {
  return apply(std::make_unique<LazyConversionUpdate<Old, New>>(
      "lazily", [](const Old&) { return New(); }, options));
}

TEST(LazyConversionLimits, WithoutAnInverseThereIsNoRollback) {
  auto small = std::make_unique<Small>();
  UpdateReport report = convert_lazily<Small, Other>();
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  for (bool is_used : {false, true}) {
    EXPECT_TRUE(!is_used || small->number == 6);
    limits::expect_error(ErrorCode::unsupported, {"moult::subject::Small", "no inverse transformer was given"},
                         [&] { roll_back(report.id); });
  }
  EXPECT_EQ(small->number, 6);
}

struct Closing : Updatable<Closing, 64> {
  MOULT_UPDATABLE Closing();
  MOULT_UPDATABLE ~Closing();
  MOULT_UPDATABLE void close();
  int number = 8;
};
Closing::Closing() = default;
Closing::~Closing() { close(); }
void Closing::close() { number = 0; }
struct ClosingTwo : Updatable<ClosingTwo> {
  MOULT_UPDATABLE ClosingTwo();
  MOULT_UPDATABLE ~ClosingTwo();
  MOULT_UPDATABLE void close();
  int number = 9;
};
ClosingTwo::ClosingTwo() = default;
ClosingTwo::~ClosingTwo() { close(); }
void ClosingTwo::close() { number = 1; }

TEST(LazyConversionLimits, AnOldDestructorDoesNotRunLaterWhenItCallsWhatIsRedefined) {
  auto closing = std::make_unique<Closing>();
  expect_refused(convert_lazily<Closing, ClosingTwo>({.rebind = Rebind::yes}), ErrorCode::unsupported,
                 {"moult::subject::Closing: its destructor has to run for old values when the class is redefined "
                  "already, and moult::subject::Closing::~Closing() at ",
                  "calls moult::subject::Closing::close() of it; convert eagerly, or do not rebind"});
  EXPECT_EQ(closing->number, 8);
}

struct Hooked : Updatable<Hooked, 64> {
  MOULT_UPDATABLE Hooked();
  MOULT_UPDATABLE ~Hooked();
  void (*hook)() = nullptr;
  int number = 8;
};
Hooked::Hooked() = default;
Hooked::~Hooked() { hook(); }
struct HookedTwo : Updatable<HookedTwo> {
  MOULT_UPDATABLE HookedTwo();
  MOULT_UPDATABLE ~HookedTwo();
  void (*hook)() = nullptr;
  int number = 9;
};
HookedTwo::HookedTwo() = default;
HookedTwo::~HookedTwo() { hook(); }

TEST(LazyConversionLimits, AnOldDestructorDoesNotRunLaterWhenItCallsByAPointer) {
  auto hooked = std::make_unique<Hooked>();
  hooked->hook = [] {};
  expect_refused(convert_lazily<Hooked, HookedTwo>({.rebind = Rebind::yes}), ErrorCode::unsupported,
                 {"moult::subject::Hooked: its destructor has to run for old values",
                  "calls by a pointer, which may lead to a function of the class; convert eagerly, or do not rebind"});
  EXPECT_EQ(hooked->number, 8);
}

/// Runs `convert` both at first use and at once.
template <class Convert>
class TwoConversions final : public Update {
 public:
  explicit TwoConversions(Convert convert) : Update("two"), convert_(convert) {}
  bool check_alterability() override { return check_quiescence_of_functions({}, patience(), {}); }
  void apply() override {
    start_lazy_update<Small, Other>([](const Small&) { return Other(); });
    convert_([](const Other& other) {
      Small small;
      small.number = other.number;
      return small;
    });
  }

 private:
  Convert convert_;
};

TEST(LazyConversionLimits, WhatWasConvertedAtFirstUseIsNotConvertedAgainInTheSameStop) {
  auto small = std::make_unique<Small>();
  const auto lazily = [](auto transformer) { start_lazy_update<Other, Small>(transformer); };
  const auto eagerly = [](auto transformer) { start_eager_update<Other, Small>(transformer); };
  const auto expect = [&](const UpdateReport& report) {
    EXPECT_EQ(report.state, UpdateState::failed);
    EXPECT_EQ(report.code, ErrorCode::unsupported);
    EXPECT_THAT(report.reason,
                testing::HasSubstr("moult::subject::Other: objects of its pool were converted at first use in this "
                                   "very stop, which has to end before they are converted again; do that in an "
                                   "update of its own"));
    EXPECT_EQ(small->number, 5);
    EXPECT_EQ(DataAccessor<Small>().size(), 1u);
  };
  expect(apply(std::make_unique<TwoConversions<decltype(lazily)>>(lazily)));
  expect(apply(std::make_unique<TwoConversions<decltype(eagerly)>>(eagerly)));
}

TEST(LazyConversionLimits, ObjectsOfAThirdClassMayNotLieInThePoolMeanwhile) {
  auto first = std::make_unique<Small>();
  ASSERT_EQ((convert<Small, Other>().state), UpdateState::applied);
  auto second = std::make_unique<Small>();
  UpdateReport report = convert_lazily<Other, Third>();
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::unsupported);
  EXPECT_THAT(
      report.reason,
      testing::HasSubstr("moult::subject::Third: the pool of moult::subject::Small holds objects of "
                         "moult::subject::Small beside those of moult::subject::Other, and no third class while "
                         "some are yet to be converted"));
  EXPECT_EQ(first->number, 6);
  EXPECT_EQ(second->number, 5);
}

}  // namespace subject
}  // namespace moult
