// The plan of a conversion for the pool of one class: what it holds afterwards, and what is refused.
#include "convert/conversion_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

#include "base/opaque.hpp"
#include "moult/data_access.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

using testing::HasSubstr;

struct Page : Updatable<Page> {
  int number = 1;
};
struct Sheet {
  int number = 1;
  int side = 2;
};
struct Card {};

class ConversionPlanTest : public testing::Test {
 protected:
  ConversionPlanTest() { pages_.push_back(std::make_unique<Page>()); }
  ~ConversionPlanTest() override {
    pages_.clear();
    pool_.set_contents(at_first_);
  }

  /// From now on the pool holds objects of both classes.
  void holds(const ObjectClass& usual, const ObjectClass& other) {
    pool_.set_contents({&usual, &other, sizeof(Page), sizeof(Page)});
  }
  void make_other(const Page& object) {
    const Region& region = Region::of(&object);
    const std::uint32_t number = region.cut().slot_at(Region::offset_of(&object) & region.cut().offset_mask);
    region.slab_of(&object).others()[number / 64] |= std::uint64_t{1} << (number % 64);
  }

  ClassChangeOfObjects change(Makes makes = Makes::old_objects) const {
    return {page_, sheet_, {&typeid(Sheet), sizeof(Sheet), alignof(Sheet), false}, makes};
  }
  PoolChange plan(const ClassChangeOfObjects& change) const {
    for (const PoolChange& each : plan_pool_changes(change))
      if (each.pool == &pool_) return each;
    ADD_FAILURE() << "the pool is not in the plan";
    return {};
  }
  PoolChange plan() const { return plan(change()); }

  template <class Call>
  static void expect_refused(ErrorCode code, const std::vector<std::string>& words, Call&& call) {
    try {
      call();
      ADD_FAILURE() << "was not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      for (const std::string& word : words) EXPECT_THAT(error.what(), HasSubstr(word));
    }
  }

  const ObjectClass& page_ = object_class_of(typeid(Page));
  const ObjectClass& sheet_ = object_class_of(typeid(Sheet));
  const ObjectClass& card_ = object_class_of(typeid(Card));
  Pool& pool_ = behind<Pool>(detail::ModulePool<Page, 0>::get());
  const Contents at_first_ = pool_.contents();
  std::vector<std::unique_ptr<Page>> pages_;
};

TEST_F(ConversionPlanTest, APoolWithoutObjectsOfTheClassIsLeftOut) {
  EXPECT_TRUE(plan_pool_changes({card_, sheet_, {}, Makes::old_objects}).empty());
}

TEST_F(ConversionPlanTest, ConvertedObjectsAreMarkedWhereTheConstructorsStay) {
  const PoolChange planned = plan();
  EXPECT_EQ(planned.portion, Portion::all);
  EXPECT_TRUE(planned.sets_other);
  EXPECT_FALSE(planned.clears_other);
  EXPECT_FALSE(planned.olds_are_others());
  EXPECT_EQ(planned.after.usual, &page_);
  EXPECT_EQ(planned.after.usual_size, sizeof(Page));
  EXPECT_EQ(planned.after.other, &sheet_);
  EXPECT_EQ(planned.after.other_size, sizeof(Sheet));
}

TEST_F(ConversionPlanTest, ThePoolIsOfTheNewClassWhereTheConstructorsAreRedirected) {
  const PoolChange planned = plan(change(Makes::new_objects));
  EXPECT_FALSE(planned.sets_other);
  EXPECT_TRUE(planned.olds_are_others());
  EXPECT_EQ(planned.after.usual, &sheet_);
  EXPECT_EQ(planned.after.usual_size, sizeof(Sheet));
  EXPECT_EQ(planned.after.other, nullptr);
}

TEST_F(ConversionPlanTest, MarksAreClearedWhereTheNewClassIsTheUsualOne) {
  holds(sheet_, page_);
  const PoolChange planned = plan();
  EXPECT_EQ(planned.portion, Portion::other);
  EXPECT_TRUE(planned.clears_other);
  EXPECT_FALSE(planned.sets_other);
  EXPECT_EQ(planned.after.usual, &sheet_);
}

TEST_F(ConversionPlanTest, AClassIsNotConvertedToOneOfItsName) {
  EXPECT_NO_THROW(require_two_classes(change()));
  expect_refused(ErrorCode::invalid_argument, {page_.name.text()}, [&] {
    require_two_classes({page_, page_, {}, Makes::old_objects});
  });
}

TEST_F(ConversionPlanTest, ObjectsLargerThanTheSlotsAreRefusedWithTheReserveThatTheyNeed) {
  ClassChangeOfObjects grown = change();
  grown.to_kind.size = 100;
  ASSERT_EQ(pool_.cut().slot_size, smallest_slot);
  expect_refused(ErrorCode::layout_mismatch,
                 {"need 100 bytes", "have 16", "moult::Updatable<" + page_.name.text() + ", 96>"},
                 [&] { refuse_misfit(grown, plan(grown)); });
  grown.to_kind.size = smallest_slot;
  EXPECT_NO_THROW(refuse_misfit(grown, plan(grown)));
}

TEST_F(ConversionPlanTest, AnAlignmentThatTheSlotsLackIsRefused) {
  ClassChangeOfObjects aligned = change();
  aligned.to_kind.alignment = 32;
  expect_refused(ErrorCode::layout_mismatch, {"aligned to 32 bytes", "to 16"},
                 [&] { refuse_misfit(aligned, plan(aligned)); });
}

TEST_F(ConversionPlanTest, WithoutObjectsAMisfitMattersOnlyWhereNewObjectsAreMadeInThePool) {
  pages_.clear();
  ClassChangeOfObjects stays = change();
  stays.to_kind.size = 100;
  EXPECT_NO_THROW(refuse_misfit(stays, plan(stays)));
  ClassChangeOfObjects redirected = change(Makes::new_objects);
  redirected.to_kind.size = 100;
  expect_refused(ErrorCode::layout_mismatch, {"need 100 bytes"}, [&] { refuse_misfit(redirected, plan(redirected)); });
}

TEST_F(ConversionPlanTest, AThirdClassIsRefusedUnlessAllObjectsOfOneAreConverted) {
  holds(page_, card_);
  make_other(*pages_.front());
  expect_refused(ErrorCode::unsupported, {page_.name.text() + " and " + card_.name.text()},
                 [&] { refuse_third_class(change(), plan(), 0); });
  EXPECT_NO_THROW(refuse_third_class(change(), plan(), 1));
}

TEST_F(ConversionPlanTest, ASecondConversionToTheSameClassBringsNoThirdOne) {
  holds(page_, sheet_);
  make_other(*pages_.front());
  EXPECT_NO_THROW(refuse_third_class(change(), plan(), 0));
  EXPECT_NO_THROW(refuse_third_class_meanwhile(change(), plan()));
}

TEST_F(ConversionPlanTest, NoThirdClassIsLetInWhileALazyConversionGoesOn) {
  holds(page_, card_);
  EXPECT_NO_THROW(refuse_third_class_meanwhile(change(), plan())) << "no object is of that class";
  make_other(*pages_.front());
  expect_refused(ErrorCode::unsupported, {"holds objects of " + card_.name.text(), "convert eagerly"},
                 [&] { refuse_third_class_meanwhile(change(), plan()); });
}

TEST_F(ConversionPlanTest, NewObjectsOfAThirdClassKeepALazyConversionOut) {
  holds(card_, page_);
  pages_.clear();
  expect_refused(ErrorCode::unsupported, {"holds objects of " + card_.name.text()},
                 [&] { refuse_third_class_meanwhile(change(), plan()); });
}

TEST_F(ConversionPlanTest, ObjectsThatWereConvertedOnAreRolledBackInTurn) {
  expect_refused(ErrorCode::unsupported, {sheet_.name.text(), "of class " + page_.name.text()},
                 [&] { require_still(sheet_, pool_); });
  holds(page_, sheet_);
  EXPECT_NO_THROW(require_still(sheet_, pool_));
}

}  // namespace
}  // namespace moult::internal
