#include "moult/data_access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <set>
#include <vector>

#include "base/transaction.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace subject {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct Data : Updatable<Data> {
  explicit Data(int wanted) : number(wanted) {}
  virtual ~Data() = default;
  int number;
};
struct Longer : Data {
  using Data::Data;
  std::array<char, 200> text{};
};
struct Other {
  virtual ~Other() = default;
  long other = 7;
};
struct Own : Other, Data, Updatable<Own> {
  using Data::Data;
  using Updatable<Own>::operator new;
  using Updatable<Own>::operator delete;
};

template <class T>
std::multiset<int> numbers(const DataAccessor<T>& objects) {
  std::multiset<int> found;
  for (const T& object : objects) found.insert(object.number);
  return found;
}

TEST(DataAccessor, ItFindsEveryLiveObjectOnce) {
  std::vector<std::unique_ptr<Data>> objects;
  for (int i = 0; i < 5000; ++i) objects.push_back(std::make_unique<Data>(i));
  std::erase_if(objects, [](const std::unique_ptr<Data>& object) { return object->number % 2 == 1; });
  DataAccessor<Data> found;
  EXPECT_EQ(found.size(), objects.size());
  std::set<const Data*> addresses;
  for (const Data& data : found) addresses.insert(&data);
  EXPECT_EQ(addresses.size(), objects.size());
  for (const std::unique_ptr<Data>& object : objects) EXPECT_TRUE(addresses.contains(object.get()));
}

TEST(DataAccessor, AClassWithoutObjectsHasNone) {
  struct Never : Updatable<Never> {};
  DataAccessor<Never> found;
  EXPECT_TRUE(found.empty());
  EXPECT_EQ(found.begin(), found.end());
}

TEST(DataAccessor, ObjectsOnTheStackAreNotFound) {
  Data here(1);
  std::unique_ptr<Data> there = std::make_unique<Data>(2);
  EXPECT_THAT(numbers(DataAccessor<Data>()), ElementsAre(2));
}

TEST(DataAccessor, SubclassesAreFoundUnlessTheyAreLeftOut) {
  std::unique_ptr<Data> data = std::make_unique<Data>(1);
  std::unique_ptr<Data> longer = std::make_unique<Longer>(2);
  std::unique_ptr<Data> own = std::make_unique<Own>(3);
  EXPECT_THAT(numbers(DataAccessor<Data>()), ElementsAre(1, 2, 3));
  EXPECT_THAT(numbers(DataAccessor<Data>({.subclasses = Subclasses::excluded})), ElementsAre(1));
  EXPECT_THAT(numbers(DataAccessor<Own>()), ElementsAre(3));
  int longer_ones = 0;
  for (Data& each : DataAccessor<Data>()) longer_ones += dynamic_cast<Longer*>(&each) != nullptr;
  EXPECT_EQ(longer_ones, 1);
}

TEST(DataAccessor, YieldedObjectsCanBeChanged) {
  std::unique_ptr<Data> data = std::make_unique<Data>(1);
  for (Data& each : DataAccessor<Data>()) each.number = 5;
  EXPECT_EQ(data->number, 5);
}

TEST(DataAccessor, InAStoppedProgramItUsesThatStop) {
  std::unique_ptr<Data> data = std::make_unique<Data>(1);
  Transaction transaction;
  Transaction::Scope scope(transaction);
  transaction.hold(suspend_program(2s));
  EXPECT_EQ(DataAccessor<Data>().size(), 1u);
  EXPECT_NE(transaction.suspension(), nullptr);
  transaction.resume();
  EXPECT_EQ(DataAccessor<Data>().size(), 1u);
  EXPECT_EQ(transaction.suspension(), nullptr);
}

}  // namespace subject
namespace {

struct Unnamed : Updatable<Unnamed> {
  int number = 1;
};

TEST(DataAccessor, ClassesInUnnamedNamespacesHavePoolsToo) {
  std::unique_ptr<Unnamed> object = std::make_unique<Unnamed>();
  EXPECT_EQ(DataAccessor<Unnamed>().size(), 1u);
}

}  // namespace
}  // namespace moult::internal
