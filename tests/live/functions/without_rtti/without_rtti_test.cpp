// A program and its update that were both compiled with -fno-rtti.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "loaded_update.hpp"
#include "program.hpp"

#ifdef __GXX_RTTI
#error "this test is about code without RTTI"
#endif

namespace bare {

int Animal::legs() const { return 4; }
std::string greeting(const std::string& name) { return "hello " + name; }

namespace {

using moult::UpdateReport;
using moult::UpdateState;
using moult::detail::type_of;

int counter = 3;

const LoadedUpdate& update() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(UPDATE);
  return loaded;
}

UpdateReport apply(std::unique_ptr<moult::Update> (*make)()) {
  moult::ThreadedManager manager("manager");
  return manager.add_update(make()).wait(std::chrono::seconds(100));
}

TEST(WithoutRtti, ATypeIsEqualToTheOneOfCodeWithIt) {
  const std::vector<const std::type_info*> own = {
      &type_of<int>(),
      &type_of<void>(),
      &type_of<Note*>(),
      &type_of<const Note*>(),
      &type_of<const Note&>(),
      &type_of<std::map<std::string, std::vector<Note>>>(),
      &type_of<int(const std::string&, const std::string&)>(),
      &type_of<int (Note::*)(int, Note*) const>(),
      &type_of<Box<int() const>>(),
      &type_of<moult::Update>(),
      &type_of<std::vector<moult::ThreadId>>(),
      &type_of<Colour>(),
      &type_of<int[3]>(),
      &type_of<char[]>(),
  };
  const auto& others = types_with_rtti();
  ASSERT_EQ(own.size(), others.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    EXPECT_EQ(own[i]->name(), others[i].first);
    EXPECT_TRUE(*own[i] == *others[i].second) << others[i].first;
  }
  EXPECT_EQ(&type_of<Note>(), &type_of<const Note&>());
}

struct Hidden {};

TEST(WithoutRtti, AClassOfAnUnnamedNamespaceIsEqualToItselfOnly) {
  EXPECT_TRUE(type_of<Hidden>() == type_of<Hidden>());
  EXPECT_FALSE(type_of<Hidden>() ==
               moult::detail::type_of_marker("_Z17moult_type_markerPN4bare12_GLOBAL__N_16HiddenE", &counter));
}

TEST(WithoutRtti, FunctionsAreReplacedByNameAndThroughTheVtable) {
  const std::unique_ptr<Animal> animal = std::make_unique<Animal>();
  ASSERT_EQ(animal->legs(), 4);
  const UpdateReport report = apply(update().redefine);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(greeting("you"), "good morning you");
  EXPECT_EQ(animal->legs(), 6);
  moult::roll_back(report.id);
  EXPECT_EQ(greeting("you"), "hello you");
  EXPECT_EQ(animal->legs(), 4);
}

TEST(WithoutRtti, ObjectsAreConvertedAndGetFields) {
  const auto note = std::make_unique<Note>(5);
  const UpdateReport report = apply(update().convert);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(note->number, 6);
  EXPECT_EQ(update().second_number(*note), 50);
}

TEST(WithoutRtti, AVariableIsFoundByNameAndType) {
  EXPECT_EQ(moult::variable<int>("bare::counter"), 3);
  EXPECT_THROW(moult::variable<double>("bare::counter"), moult::Error);
}

TEST(WithoutRtti, AnExceptionOfAStepIsReportedWithItsType) {
  const UpdateReport report = apply(update().fail);
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, testing::HasSubstr("Mistake: all wrong"));
}

TEST(WithoutRtti, AManagerIsFoundByItsName) {
  EXPECT_EQ(&moult::threaded_manager("made"), &moult::threaded_manager("made"));
  moult::Manager inline_one("inline");
  EXPECT_THROW(moult::threaded_manager("inline"), moult::Error);
}

}  // namespace
}  // namespace bare
