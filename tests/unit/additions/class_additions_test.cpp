#include "moult/class_additions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/fault.hpp"
#include "base/transaction.hpp"
#include "moult/data_update.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Stands in for a step of an update.
class Step final {
 public:
  std::vector<std::string> changes() const { return transaction_.changes(); }
  void stop() { transaction_.hold(suspend_program(10s)); }
  void roll_back() {
    if (transaction_.suspension() == nullptr) stop();
    transaction_.check_undo();
    transaction_.undo_all();
    transaction_.resume();
  }

 private:
  Transaction transaction_;
  Transaction::Scope scope_{transaction_};
};

struct Data : Updatable<Data, 32> {
  explicit Data(int wanted) : value(wanted) {}
  int value;
};
struct DataTwo : Updatable<DataTwo> {
  explicit DataTwo(const Data& old) : value(old.value), twice(2 * old.value) {}
  int value;
  int twice;
};

int tokens = 0;
struct Token {
  Token() { ++tokens; }
  Token(Token&&) noexcept { ++tokens; }
  ~Token() { --tokens; }
};

TEST(AddedField, IsFoundByClassAndNameUntilItIsRolledBack) {
  auto data = std::make_unique<Data>(1);
  Step step;
  add_field_to_class<Data, std::string>("origin", {.initial = [](Data&) { return std::string("localhost"); }});
  EXPECT_THAT(step.changes(),
              testing::ElementsAre(HasSubstr("the field origin of moult::internal::(anonymous namespace)::Data "
                                             "added, std::__cxx11::basic_string<char")));
  EXPECT_EQ((field<Data, std::string>("origin").of(*data)), "localhost");
  field<Data, std::string>("origin").of(*data) = "elsewhere";
  EXPECT_EQ((field<Data, std::string>("origin").of(*data)), "elsewhere");
  step.roll_back();
  EXPECT_THROW((field<Data, std::string>("origin")), Error);
}

TEST(AddedField, ItsValuesAreDestroyedWhenItIsRolledBack) {
  auto data = std::make_unique<Data>(1);
  Step step;
  add_field_to_class<Data, Token>("token").of(*data);
  EXPECT_EQ(tokens, 1);
  step.roll_back();
  EXPECT_EQ(tokens, 0);
}

TEST(AddedField, AHandleThatWasKeptGoesOnWithValuesMadeAnew) {
  auto data = std::make_unique<Data>(1);
  Step step;
  Field<Data, int> before = add_field_to_class<Data, int>("count", {.initial = [](Data& of) { return of.value; }});
  before.of(*data) = 5;
  step.roll_back();
  EXPECT_EQ(before.find(*data), nullptr);
  EXPECT_EQ(before.of(*data), 1);
}

TEST(AddedField, AllThatLiveGetTheirValuesAtOnceWhereThatIsWanted) {
  std::vector<std::unique_ptr<Data>> all;
  for (int i = 0; i < 100; ++i) all.push_back(std::make_unique<Data>(i));
  Step step;
  Field<Data, int> half = add_field_to_class<Data, int>(
      "half", {.values = Values::at_once, .initial = [](Data& of) { return of.value / 2; }});
  for (const std::unique_ptr<Data>& each : all) {
    ASSERT_NE(half.find(*each), nullptr);
    EXPECT_EQ(*half.find(*each), each->value / 2);
  }
  auto later = std::make_unique<Data>(8);
  EXPECT_EQ(half.find(*later), nullptr);
  EXPECT_EQ(half.of(*later), 4);
  step.roll_back();
}

TEST(AddedField, WhereOneValueCannotBeMadeThereIsNoField) {
  std::vector<std::unique_ptr<Data>> all;
  for (int i = 0; i < 10; ++i) all.push_back(std::make_unique<Data>(i));
  auto third = [](Data& of) {
    if (of.value == 3) throw std::runtime_error("the third");
    return Token();
  };
  EXPECT_THROW((add_field_to_class<Data, Token>("token", {.values = Values::at_once, .initial = third})),
               std::runtime_error);
  EXPECT_EQ(tokens, 0);
  EXPECT_THROW((field<Data, Token>("token")), Error);
}

TEST(AddedField, WhatCannotBeRecordedIsNotAdded) {
  auto data = std::make_unique<Data>(1);
  for (std::string_view point : {"additions.fields.add", "additions.additions.record", "additions.additions.value"})
    for (FaultKind kind : {FaultKind::error, FaultKind::out_of_memory}) {
      SCOPED_TRACE(point);
      Step step;
      {
        ArmedFault armed(point, 1, kind);
        EXPECT_ANY_THROW((add_field_to_class<Data, Token>("token", {.values = Values::at_once})));
        EXPECT_TRUE(armed.fired());
      }
      EXPECT_THAT(step.changes(), testing::IsEmpty());
      EXPECT_EQ(tokens, 0);
      add_field_to_class<Data, Token>("token").of(*data);
      step.roll_back();
      EXPECT_EQ(tokens, 0);
    }
}

TEST(AddedField, ValuesStayWithObjectsThatAreConverted) {
  auto data = std::make_unique<Data>(4);
  Step step;
  Field<Data, std::string> name = add_field_to_class<Data, std::string>("name");
  name.of(*data) = "four";
  step.stop();
  start_eager_update<Data, DataTwo>([](const Data& old) { return DataTwo(old); },
                                    {.inverse = [](const DataTwo& now) { return Data(now.value); }});
  EXPECT_EQ(reinterpret_cast<DataTwo&>(*data).twice, 8);
  EXPECT_EQ(name.of(*data), "four");
  EXPECT_EQ((field<Data, std::string>("name").of(*data)), "four");
  step.roll_back();
  EXPECT_EQ(data->value, 4);
  EXPECT_THROW((field<Data, std::string>("name")), Error);
}

/// A mixin that receives its object.
struct Tagged {
  explicit Tagged(Data& of, std::string text = "plain") : data(of), tag(std::move(text)) {}
  std::string print() const { return std::to_string(data.value) + " " + tag; }
  Data& data;
  std::string tag;
};

TEST(Mixin, EveryObjectOfTheClassHasIt) {
  auto data = std::make_unique<Data>(1);
  EXPECT_FALSE(has_mixin<Tagged>(*data));
  Step step;
  add_mixin_to_class<Tagged, Data>();
  EXPECT_TRUE(has_mixin<Tagged>(*data));
  EXPECT_EQ(mixin<Tagged>(*data).print(), "1 plain");
  mixin<Tagged>(*data).tag = "coloured";
  const Data& constant = *data;
  EXPECT_EQ(mixin<Tagged>(constant).print(), "1 coloured");
  step.roll_back();
  EXPECT_FALSE(has_mixin<Tagged>(*data));
}

TEST(Mixin, OneObjectHasItAndItGoesWithTheUpdate) {
  auto data = std::make_unique<Data>(1);
  auto other = std::make_unique<Data>(2);
  Step step;
  EXPECT_EQ(add_mixin<Tagged>(*data, *data, "lonely").print(), "1 lonely");
  EXPECT_TRUE(has_mixin<Tagged>(*data));
  EXPECT_FALSE(has_mixin<Tagged>(*other));
  EXPECT_THROW(mixin<Tagged>(*other), Error);
  step.roll_back();
  EXPECT_FALSE(has_mixin<Tagged>(*data));
}

TEST(Mixin, TheClassCanHaveItWhenNoSingleObjectHasItAnyMore) {
  auto data = std::make_unique<Data>(1);
  {
    Step step;
    add_mixin<Tagged>(*data, *data);
    EXPECT_THROW((add_mixin_to_class<Tagged, Data>()), Error);
    step.roll_back();
  }
  Step step;
  add_mixin_to_class<Tagged, Data>();
  EXPECT_TRUE(has_mixin<Tagged>(*data));
  step.roll_back();
}

TEST(Mixin, AnObjectOfASubclassHasThatOfItsBase) {
  struct Special : Data {
    Special() : Data(9) {}
  };
  auto special = std::make_unique<Special>();
  Step step;
  add_mixin_to_class<Tagged, Data>();
  EXPECT_EQ(mixin<Tagged>(*special).print(), "9 plain");
  step.roll_back();
}

struct Shape {
  virtual ~Shape() = default;
  int corners = 0;
};
struct Colour {
  virtual ~Colour() = default;
  int red = 1;
};
struct Square : Colour, Shape {
  Square() { corners = 4; }
};
struct Oblong : Square {};

std::string describe_shape(const Shape& shape, int indent) {
  return std::string(static_cast<std::size_t>(indent), ' ') + "shape of " + std::to_string(shape.corners);
}
std::string describe_square(const Square& square, int) { return "square of " + std::to_string(square.red); }

TEST(AddedMethod, IsCalledByNameAndTakenBack) {
  Data data(3);
  Step step;
  add_method_to_class("twice", [](const Data& of) { return 2 * of.value; });
  add_method_to_class("add", [](Data& to, int much) noexcept { to.value += much; });
  EXPECT_EQ((call_method<int() const>(data, "twice")), 6);
  call_method<void(int)>(data, "add", 2);
  Method<Data, int() const> twice = method<Data, int() const>("twice");
  EXPECT_EQ(twice(data), 10);
  step.roll_back();
  EXPECT_THROW((call_method<int() const>(data, "twice")), Error);
  EXPECT_THROW(twice(data), Error);
}

TEST(AddedMethod, TheNewestWinsInWhateverOrderTheyAreTakenBack) {
  Data data(3);
  auto first = std::make_unique<Step>();
  add_method_to_class("who", [](const Data&) { return 1; });
  Method<Data, int() const> who = method<Data, int() const>("who");
  EXPECT_EQ(who(data), 1);
  {
    Step second;
    add_method_to_class("who", [](const Data&) { return 2; });
    EXPECT_EQ(who(data), 2);
    {
      Step third;
      add_method_to_class("who", [](const Data&) { return 3; });
      EXPECT_EQ(who(data), 3);
      second.roll_back();
      EXPECT_EQ(who(data), 3);
      third.roll_back();
    }
  }
  EXPECT_EQ(who(data), 1);
  first->roll_back();
}

TEST(AddedMethod, TheWholeObjectsClassDecides) {
  Square square;
  Oblong oblong;
  Shape plain;
  Step step;
  add_method_to_class("describe", describe_shape);
  Method<Shape, std::string(int) const> describe = method<Shape, std::string(int) const>("describe");
  EXPECT_EQ(describe(plain, 1), " shape of 0");
  EXPECT_EQ(describe(square, 0), "shape of 4") << "its Shape is not where it begins";
  EXPECT_EQ((call_method<std::string(int) const>(square, "describe", 0)), "shape of 4");
  add_method_to_class("describe", describe_square);
  EXPECT_EQ(describe(square, 0), "square of 1");
  EXPECT_EQ(describe(oblong, 0), "square of 1");
  EXPECT_EQ(describe(plain, 0), "shape of 0");
  step.roll_back();
}

TEST(AddedMethod, SignaturesAreDistinguished) {
  Data data(3);
  Step step;
  add_method_to_class("print", [](const Data&) { return 1; });
  add_method_to_class("print", [](const Data&, std::string text) { return text; });
  EXPECT_EQ((call_method<int() const>(data, "print")), 1);
  EXPECT_EQ((call_method<std::string(std::string) const>(data, "print", "x")), "x");
  step.roll_back();
}

}  // namespace
}  // namespace moult::internal
