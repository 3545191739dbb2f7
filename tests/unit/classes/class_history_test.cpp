#include "classes/class_history.hpp"

#include <gmock/gmock.h>

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

ClassLayout layout_of(const std::string& name) {
  ClassLayout layout;
  layout.name = ClassName(name);
  return layout;
}

/// "A as B" for each redefinition.
std::vector<std::string> in_words(const std::vector<RedefinedClass>& all) {
  std::vector<std::string> words;
  for (const auto& [old_class, new_class, old_size, old_place, slot_size] : all)
    words.push_back(old_class.text() + " as " + new_class.name.text());
  return words;
}

/// Redefines classes for the time of a test: the history is the process's.
class ClassHistory : public testing::Test {
 protected:
  ~ClassHistory() override {
    for (const std::uint64_t number : numbers_) forget_redefined(number);
  }

  std::uint64_t redefine(const std::string& old_class, const std::string& new_class) {
    numbers_.push_back(note_redefined({ClassName(old_class), layout_of(new_class), 0, {}, std::nullopt}, nullptr));
    return numbers_.back();
  }

 private:
  std::vector<std::uint64_t> numbers_;
};

TEST_F(ClassHistory, AClassThatWasNotRedefinedHasNone) {
  redefine("Data", "Data_v2");
  EXPECT_THAT(predecessors_of(ClassName("Data")), IsEmpty());
  EXPECT_THAT(successors_of(ClassName("Data_v2")), IsEmpty());
  EXPECT_THAT(successors_of(ClassName("Dat")), IsEmpty());
}

TEST_F(ClassHistory, VersionsAreFollowedBothWays) {
  redefine("Data", "Data_v2");
  redefine("Data_v2", "Data_v3");
  EXPECT_THAT(in_words(predecessors_of(ClassName("Data_v3"))), ElementsAre("Data_v2 as Data_v3", "Data as Data_v2"));
  EXPECT_THAT(in_words(successors_of(ClassName("Data"))), ElementsAre("Data as Data_v2", "Data_v2 as Data_v3"));
  EXPECT_THAT(in_words(predecessors_of(ClassName("Data_v2"))), ElementsAre("Data as Data_v2"));
}

TEST_F(ClassHistory, SeveralClassesMayBecomeOne) {
  redefine("Red", "Colour");
  redefine("Green", "Colour");
  EXPECT_THAT(in_words(predecessors_of(ClassName("Colour"))), UnorderedElementsAre("Red as Colour", "Green as Colour"));
}

TEST_F(ClassHistory, AClassThatIsRedefinedBackEnds) {
  redefine("Data", "Data_v2");
  redefine("Data_v2", "Data");
  EXPECT_THAT(in_words(successors_of(ClassName("Data"))), ElementsAre("Data as Data_v2", "Data_v2 as Data"));
  EXPECT_THAT(in_words(predecessors_of(ClassName("Data"))), ElementsAre("Data_v2 as Data", "Data as Data_v2"));
}

TEST_F(ClassHistory, AForgottenRedefinitionIsNotFollowed) {
  redefine("Data", "Data_v2");
  forget_redefined(redefine("Data_v2", "Data_v3"));
  EXPECT_THAT(in_words(successors_of(ClassName("Data"))), ElementsAre("Data as Data_v2"));
  EXPECT_THAT(predecessors_of(ClassName("Data_v3")), IsEmpty());
}

TEST_F(ClassHistory, ARedefinitionIsUndoneWithItsTransaction) {
  Transaction transaction;
  note_redefined({ClassName("Data"), layout_of("Data_v2"), 0, {}, std::nullopt}, &transaction);
  ASSERT_THAT(in_words(successors_of(ClassName("Data"))), ElementsAre("Data as Data_v2"));
  transaction.undo_all();
  EXPECT_THAT(successors_of(ClassName("Data")), IsEmpty());
}

TEST_F(ClassHistory, TheSlotSizeIsKept) {
  const std::uint64_t number = note_redefined({ClassName("Data"), layout_of("Data_v2"), 4, {}, 64}, nullptr);
  const std::vector<RedefinedClass> successors = successors_of(ClassName("Data"));
  forget_redefined(number);
  ASSERT_THAT(successors, testing::SizeIs(1));
  EXPECT_EQ(successors.front().slot_size, 64U);
}

}  // namespace
}  // namespace moult::internal
