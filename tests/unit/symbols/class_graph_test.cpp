#include "symbols/class_graph.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

constexpr bool by_value = false;
constexpr bool by_pointer = true;

class ClassGraphTest : public testing::Test {
 protected:
  Reach reach_of_user() const { return graph_.reach_of(wanted_)[user_]; }

  ClassGraph graph_;
  const std::size_t wanted_ = graph_.add_node();
  const std::size_t user_ = graph_.add_node();
  const std::size_t between_ = graph_.add_node();
};

TEST_F(ClassGraphTest, ANodeWithoutAnEdgeToTheClassDoesNotReachIt) {
  graph_.add_edge(user_, between_, by_value);
  EXPECT_EQ(reach_of_user(), Reach::none);
}

TEST_F(ClassGraphTest, AUseByPointerDependsOnTheLayout) {
  graph_.add_edge(user_, wanted_, by_pointer);
  EXPECT_EQ(reach_of_user(), Reach::layout);
}

TEST_F(ClassGraphTest, AUseByValueDependsOnTheSize) {
  graph_.add_edge(user_, wanted_, by_value);
  EXPECT_EQ(reach_of_user(), Reach::size);
}

TEST_F(ClassGraphTest, TheGreaterOfTwoUsesCounts) {
  graph_.add_edge(user_, wanted_, by_pointer);
  graph_.add_edge(user_, wanted_, by_value);
  graph_.add_edge(user_, wanted_, by_pointer);
  EXPECT_EQ(reach_of_user(), Reach::size);
}

TEST_F(ClassGraphTest, APointerToAHolderOfAValueDependsOnTheSize) {
  graph_.add_edge(user_, between_, by_pointer);
  graph_.add_edge(between_, wanted_, by_value);
  EXPECT_EQ(reach_of_user(), Reach::size) << "the fields behind the value move";
}

TEST_F(ClassGraphTest, AValueOfAHolderOfAPointerDependsOnTheLayoutOnly) {
  graph_.add_edge(user_, between_, by_value);
  graph_.add_edge(between_, wanted_, by_pointer);
  EXPECT_EQ(reach_of_user(), Reach::layout);
}

TEST_F(ClassGraphTest, AGreaterUseFoundLaterReachesTheUsersToo) {
  const std::size_t other = graph_.add_node();
  graph_.add_edge(user_, between_, by_pointer);
  graph_.add_edge(between_, wanted_, by_pointer);
  graph_.add_edge(between_, other, by_value);
  graph_.add_edge(other, wanted_, by_value);
  EXPECT_EQ(reach_of_user(), Reach::size);
}

TEST_F(ClassGraphTest, UsesByTheClassItselfDoNotCount) {
  graph_.add_edge(wanted_, user_, by_value);
  graph_.add_edge(wanted_, wanted_, by_pointer);
  const std::vector<Reach> reach = graph_.reach_of(wanted_);
  EXPECT_EQ(reach[user_], Reach::none);
  EXPECT_EQ(reach[wanted_], Reach::none);
}

TEST_F(ClassGraphTest, AHolderHasTheClassInItByValuesAlone) {
  const std::size_t pointer = graph_.add_node();
  graph_.add_edge(between_, wanted_, by_value);
  graph_.add_edge(user_, between_, by_value);
  graph_.add_edge(pointer, between_, by_pointer);
  const std::vector<bool> holders = graph_.holders_of(wanted_);
  EXPECT_TRUE(holders[between_]);
  EXPECT_TRUE(holders[user_]);
  EXPECT_FALSE(holders[pointer]) << "it depends on the size, and has none in it";
}

TEST_F(ClassGraphTest, ClassesThatUseEachOtherAreAllReached) {
  graph_.add_edge(user_, between_, by_pointer);
  graph_.add_edge(between_, user_, by_pointer);
  graph_.add_edge(between_, wanted_, by_pointer);
  const std::vector<Reach> reach = graph_.reach_of(wanted_);
  EXPECT_EQ(reach[user_], Reach::layout);
  EXPECT_EQ(reach[between_], Reach::layout);
}

}  // namespace
}  // namespace moult::internal
