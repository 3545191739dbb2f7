#include "classes/object_change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "moult/error.hpp"
#include "points.hpp"

namespace moult::internal {
namespace subject {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A stop as an update's apply has it.
class Stop final {
 public:
  Stop() { transaction_.hold(suspend_program(10s)); }
  void resume() { transaction_.resume(); }
  void undo() { transaction_.undo_all(); }
  void roll_back() {
    if (transaction_.suspension() == nullptr) transaction_.hold(suspend_program(10s));
    transaction_.check_undo();
    transaction_.undo_all();
    transaction_.resume();
  }

 private:
  Transaction transaction_;
  Transaction::Scope scope_{transaction_};
};

TEST(EagerUpdate, EveryObjectIsConvertedWhereItIs) {
  auto objects = several<Point>(1000);
  EXPECT_EQ((start_eager_update<Point, Point3>(to_point3)), 1000u);
  for (int i = 0; i < 1000; ++i) {
    const Point3& point = as<Point3>(objects[static_cast<std::size_t>(i)]);
    EXPECT_EQ(point.x, i);
    EXPECT_EQ(point.y, 2 * i);
    EXPECT_EQ(point.name, "a name that is too long for the string itself");
  }
  end<Point3>(objects);
  EXPECT_TRUE(DataAccessor<Point3>().empty());
}

TEST(EagerUpdate, AnObjectIsConvertedOnce) {
  auto objects = several<Point>(10);
  EXPECT_EQ((start_eager_update<Point, Point3>(to_point3)), 10u);
  EXPECT_EQ((start_eager_update<Point, Point3>(to_point3)), 0u);
  auto later = several<Point>(5);
  EXPECT_EQ((start_eager_update<Point, Point3>(to_point3)), 5u);
  EXPECT_EQ(as<Point3>(objects[9]).y, 18);
  end<Point3>(objects);
  end<Point3>(later);
}

TEST(EagerUpdate, TheAccessorsFindWhatAnObjectIsNow) {
  auto objects = several<Point>(10);
  start_eager_update<Point, Point3>(to_point3);
  EXPECT_TRUE(DataAccessor<Point>().empty());
  EXPECT_EQ(DataAccessor<Point3>().size(), 10u);
  auto later = several<Point>(3);
  auto fresh = std::make_unique<Point3>(5, 6);
  EXPECT_EQ(DataAccessor<Point>().size(), 3u);
  EXPECT_EQ(DataAccessor<Point3>().size(), 11u);
  end<Point3>(objects);
  EXPECT_EQ(DataAccessor<Point3>().size(), 1u);
}

TEST(EagerUpdate, ASlotThatIsUsedAgainHoldsWhatWasMadeInIt) {
  auto objects = several<Point>(100);
  start_eager_update<Point, Point3>(to_point3);
  end<Point3>(objects);
  auto again = several<Point>(100);
  EXPECT_EQ(DataAccessor<Point>().size(), 100u);
  EXPECT_TRUE(DataAccessor<Point3>().empty());
}

struct Point4 : Updatable<Point4> {
  explicit Point4(const Point3& old) : x(old.x), z(old.y + 1) {}
  int x;
  int z;
};

TEST(EagerUpdate, WhatWasConvertedCanBeConvertedAgain) {
  auto objects = several<Point>(20);
  start_eager_update<Point, Point3>(to_point3);
  auto fresh = std::make_unique<Point3>(5, 6);  // of a pool of its own
  EXPECT_EQ((start_eager_update<Point3, Point4>([](const Point3& old) { return Point4(old); })), 21u);
  EXPECT_EQ(as<Point4>(objects[3]).z, 7);
  EXPECT_EQ(as<Point4>(fresh).z, 7);
  EXPECT_TRUE(DataAccessor<Point3>().empty());
  EXPECT_EQ(DataAccessor<Point4>().size(), 21u);
  end<Point4>(objects);
  delete reinterpret_cast<Point4*>(fresh.release());
}

TEST(EagerUpdate, ConvertedBackTheyAreOfTheOldClassAgain) {
  auto objects = several<Point>(20);
  start_eager_update<Point, Point3>(to_point3);
  EXPECT_EQ((start_eager_update<Point3, Point>([](const Point3& old) { return Point(old.y); })), 20u);
  EXPECT_EQ(objects[4]->x, 8);
  EXPECT_EQ(DataAccessor<Point>().size(), 20u);
  EXPECT_TRUE(DataAccessor<Point3>().empty());
}

TEST(EagerUpdate, ATransformerMayFillTheNewObject) {
  struct Filled {
    int x = 7;
    int y = 0;
  };
  auto objects = several<Point>(3);
  EXPECT_EQ((start_eager_update<Point, Filled>([](const Point& old, Filled& fresh) { fresh.y = old.x + fresh.x; })),
            3u);
  EXPECT_EQ(as<Filled>(objects[2]).y, 9);
}

/// Points into itself, owns memory, and counts how many there are.
struct Rich : Updatable<Rich, 100> {
  static inline int alive = 0;
  explicit Rich(int number) : text("a text that is longer than a string holds " + std::to_string(number)) {
    table[number] = text;
    owned = std::make_unique<int>(number);
    ++alive;
  }
  ~Rich() {
    if (self != this) ADD_FAILURE() << "destroyed at another place than it was made at";
    --alive;
  }
  Rich(const Rich&) = delete;
  Rich& operator=(const Rich&) = delete;
  Rich* self = this;
  std::string brief = "brief";  // std::string points into itself when it is
  std::string text;
  std::map<int, std::string> table;
  std::unique_ptr<int> owned;
  Rich* next = nullptr;
};
struct Richer : Updatable<Richer> {
  static inline int alive = 0;
  explicit Richer(const Rich& old)
      : brief(old.brief), text(old.text), table(old.table), owned(std::make_unique<int>(*old.owned)), next(old.next) {
    ++alive;
  }
  Richer(Richer&& other) noexcept
      : brief(std::move(other.brief)),
        text(std::move(other.text)),
        table(std::move(other.table)),
        owned(std::move(other.owned)),
        next(other.next) {
    ++alive;
  }
  ~Richer() { --alive; }
  Richer* self = this;
  std::string brief;
  std::string text;
  std::map<int, std::string> table;
  std::unique_ptr<int> owned;
  Rich* next;
  std::array<char, 40> more{};
};

/// `count` of them in an intrusive ring.
std::vector<std::unique_ptr<Rich>> ring(std::size_t count) {
  auto objects = several<Rich>(static_cast<int>(count));
  for (std::size_t i = 0; i < count; ++i) objects[i]->next = objects[(i + 1) % count].get();
  return objects;
}

void expect_as_before(const std::vector<std::unique_ptr<Rich>>& objects) {
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const Rich& object = *objects[i];
    int number = static_cast<int>(i);
    EXPECT_EQ(object.self, &object);
    EXPECT_EQ(object.brief, "brief");
    EXPECT_EQ(object.table.at(number), object.text);
    EXPECT_EQ(*object.owned, number);
    EXPECT_EQ(object.next, objects[(i + 1) % objects.size()].get());
  }
}

auto to_richer = [](const Rich& old) { return Richer(old); };

TEST(EagerUpdate, ObjectsThatOwnMemoryAndPointToThemselvesAndEachOtherSurvive) {
  {
    auto objects = ring(200);
    start_eager_update<Rich, Richer>(to_richer);
    EXPECT_EQ(Rich::alive, 0);
    EXPECT_EQ(Richer::alive, 200);
    const Richer* at = &as<Richer>(objects[0]);
    for (int i = 0; i < 200; ++i) {
      EXPECT_EQ(at->self, at);
      EXPECT_EQ(at->brief, "brief");
      EXPECT_EQ(at->table.at(i), at->text);
      EXPECT_EQ(*at->owned, i);
      at = reinterpret_cast<const Richer*>(at->next);
    }
    EXPECT_EQ(at, &as<Richer>(objects[0]));
    end<Richer>(objects);
  }
  EXPECT_EQ(Richer::alive, 0);
}

TEST(EagerUpdate, ATransformerThatThrowsAtAnyObjectLeavesAllAsTheyWere) {
  constexpr int count = 70;
  auto objects = ring(count);
  for (int failing = 0; failing < count; ++failing) {
    int seen = 0;
    EXPECT_THROW((start_eager_update<Rich, Richer>([&](const Rich& old) {
                   if (seen++ == failing) throw std::runtime_error("cannot convert this one");
                   return Richer(old);
                 })),
                 std::runtime_error);
    EXPECT_EQ(Rich::alive, count);
    EXPECT_EQ(Richer::alive, 0);
    expect_as_before(objects);
    EXPECT_EQ(DataAccessor<Rich>().size(), static_cast<std::size_t>(count));
  }
  EXPECT_EQ((start_eager_update<Rich, Richer>(to_richer)), static_cast<std::size_t>(count));
  end<Richer>(objects);
  EXPECT_EQ(Richer::alive, 0);
}

TEST(EagerUpdate, UndoneInTheSameStopEveryObjectIsAgainWhatItWas) {
  auto objects = ring(100);
  {
    Stop stop;
    start_eager_update<Rich, Richer>(to_richer);
    EXPECT_EQ(as<Richer>(objects[5]).brief, "brief");
    EXPECT_EQ(Rich::alive, 100) << "the old values are kept until nothing can fail any more";
    stop.undo();
    expect_as_before(objects);
    EXPECT_EQ(DataAccessor<Rich>().size(), 100u);
    stop.resume();
  }
  EXPECT_EQ(Rich::alive, 100);
  EXPECT_EQ(Richer::alive, 0);
}

TEST(EagerUpdate, UndoneAfterObjectsOfBothClassesLivedTheyAreToldApartAgain) {
  auto first = several<Point>(10);
  start_eager_update<Point, Point3>(to_point3);
  auto second = several<Point>(7);
  Stop stop;
  EXPECT_EQ((start_eager_update<Point3, Point>([](const Point3& old) { return Point(old.x); })), 10u);
  EXPECT_EQ(DataAccessor<Point>().size(), 17u);
  stop.undo();
  stop.resume();
  EXPECT_EQ(DataAccessor<Point>().size(), 7u);
  EXPECT_EQ(DataAccessor<Point3>().size(), 10u);
  end<Point3>(first);
}

TEST(EagerUpdate, RolledBackByTheInverseTransformer) {
  auto objects = several<Point>(10);
  Stop stop;
  start_eager_update<Point, Point3>(to_point3, {.inverse = [](const Point3& now) { return Point(now.y); }});
  stop.resume();
  as<Point3>(objects[2]).y = 99;
  auto later = several<Point>(2);
  stop.roll_back();
  EXPECT_EQ(objects[2]->x, 99);
  EXPECT_EQ(objects[3]->x, 6);
  EXPECT_EQ(DataAccessor<Point>().size(), 12u);
}

TEST(EagerUpdate, AnInverseThatThrowsLeavesTheNewObjects) {
  auto objects = several<Point>(10);
  bool fails = true;
  Stop stop;
  start_eager_update<Point, Point3>(to_point3, {.inverse = [&](const Point3& now) {
                                      if (fails && now.x == 5) throw std::runtime_error("no way back");
                                      return Point(now.x);
                                    }});
  stop.resume();
  EXPECT_THROW(stop.roll_back(), std::runtime_error);
  stop.resume();
  EXPECT_EQ(DataAccessor<Point3>().size(), 10u);
  EXPECT_EQ(as<Point3>(objects[5]).y, 10);
  fails = false;
  stop.roll_back();
  EXPECT_EQ(objects[5]->x, 5);
}

struct Animal : Updatable<Animal, 32> {
  virtual ~Animal() = default;
  virtual std::string says() const { return "..."; }
  int age = 1;
};
struct Dog : Animal {
  std::string says() const override { return "woof"; }
};
static_assert(sizeof(Dog) == sizeof(Animal));
struct Creature : Updatable<Creature> {
  explicit Creature(int wanted) : age(wanted) {}
  virtual ~Creature() { ++ended; }
  virtual std::string says() const { return "creature " + std::to_string(age); }
  static inline int ended = 0;
  int age;
  long more = 5;
};

TEST(EagerUpdate, VirtualCallsReachTheNewClassAndSubclassesAreLeftAlone) {
  Animal* animal = new Animal;
  std::unique_ptr<Animal> dog = std::make_unique<Dog>();
  std::shared_ptr<Animal> shared = allocate_shared<Animal>();
  std::shared_ptr<Animal> copy = shared;
  EXPECT_EQ((start_eager_update<Animal, Creature>([](const Animal& old) { return Creature(old.age + 1); })), 2u);
  Creature::ended = 0;
  auto* creature = reinterpret_cast<Creature*>(animal);
  EXPECT_EQ(creature->says(), "creature 2");
  EXPECT_EQ(typeid(*creature), typeid(Creature));
  EXPECT_EQ(dynamic_cast<void*>(creature), animal);
  EXPECT_EQ(dog->says(), "woof");
  EXPECT_EQ(shared.use_count(), 2);
  shared.reset();
  EXPECT_EQ(Creature::ended, 0);
  copy.reset();
  delete animal;  // by code that knows the old class only
  EXPECT_EQ(Creature::ended, 2);
  EXPECT_EQ(DataAccessor<Animal>().size(), 1u);
}

TEST(EagerUpdate, ATransformerThatMakesObjectsOfTheClassIsRefused) {
  auto objects = several<Point>(10);
  std::vector<std::unique_ptr<Point>> more;
  try {
    start_eager_update<Point, Point3>([&](const Point& old) {
      more.push_back(std::make_unique<Point>(1));
      return Point3(old.x, 0);
    });
    ADD_FAILURE() << "was let pass";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the transformer made or deleted objects of the class"));
  }
  EXPECT_EQ(DataAccessor<Point>().size(), 20u);
  EXPECT_EQ(objects[9]->x, 9);
}

struct Third {
  int x;
};

TEST(EagerUpdate, APoolHoldsNoThirdClass) {
  auto first = several<Point>(4);
  start_eager_update<Point, Point3>(to_point3);
  auto second = several<Point>(4);
  auto to_third = [](const Point& old) { return Third{old.x}; };
  try {
    start_eager_update<Point, Third>(to_third);
    ADD_FAILURE() << "was let pass";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("holds objects of two classes already"));
  }
  EXPECT_EQ(second[3]->x, 3);
  end<Point3>(first);
  EXPECT_EQ((start_eager_update<Point, Third>(to_third)), 4u) << "those of the second class are gone";
  EXPECT_EQ(as<Third>(second[3]).x, 3);
}

struct Flat : Updatable<Flat> {
  explicit Flat(int wanted) : x(wanted) {}
  int x;
  int* self = &x;
};
struct FlatTwo {
  int x;
  int y;
};

TEST(EagerUpdate, WhatCannotFailIsConvertedInOnePassAndUndoneAsWell) {
  auto objects = several<Flat>(1000);
  auto transform = [](const Flat& old) noexcept { return FlatTwo{old.x, *old.self + 1}; };
  Stop stop;
  EXPECT_EQ((start_eager_update<Flat, FlatTwo>(transform)), 1000u);
  EXPECT_EQ(as<FlatTwo>(objects[7]).y, 8);
  stop.undo();
  for (const auto& object : objects) EXPECT_EQ(object->self, &object->x);
  start_eager_update<Flat, FlatTwo>(transform);
  stop.resume();
  EXPECT_EQ(as<FlatTwo>(objects[999]).y, 1000);
}

struct Large {
  std::array<char, 100> text;
};
struct alignas(64) Strict {
  int x;
};

TEST(EagerUpdate, WhatDoesNotFitItsSlotIsRefused) {
  auto object = std::make_unique<Flat>(3);
  auto refusal = [](auto&& call) {
    try {
      call();
      return std::string("was let pass");
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(refusal([] { start_eager_update<Flat, Large>([](const Flat&) { return Large{}; }); }),
              testing::AllOf(HasSubstr("need 100 bytes"), HasSubstr("have 16"),
                             HasSubstr("moult::Updatable<moult::internal::subject::Flat, 84>"),
                             HasSubstr("beside the objects (moult::add_field_to_class)")));
  EXPECT_THAT(refusal([] { start_eager_update<Flat, Strict>([](const Flat&) { return Strict{1}; }); }),
              testing::AnyOf(HasSubstr("aligned to 64 bytes"), HasSubstr("need 64 bytes")));
  EXPECT_EQ(object->x, 3);
  EXPECT_EQ(*object->self, 3);
}

}  // namespace subject
}  // namespace moult::internal
