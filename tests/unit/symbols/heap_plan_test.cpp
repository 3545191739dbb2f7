#include "symbols/heap_plan.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "fixtures.hpp"
#include "moult/error.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::size_t size_of_data = 40;

HeapPlan plan_for(const std::string& file, const HeapRequest& request) {
  return plan_heap_walk(Program::of_file(fixture(file)), request);
}

/// The variables in every form of debug information.
class Variables : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { MOULT_NEEDS_FIXTURE(GetParam()); }

  static HeapPlan plan() { return plan_for(GetParam(), {{0}, {{ClassName("app::Data"), size_of_data, 8}}, true}); }
};

INSTANTIATE_TEST_SUITE_P(Programs, Variables,
                         testing::Values("variables_gcc_O0_dwarf4.so", "variables_gcc_O0_dwarf5.so",
                                         "variables_gcc_O2_dwarf4.so", "variables_gcc_O2_dwarf5.so",
                                         "variables_clang_O0_dwarf4.so", "variables_clang_O0_dwarf5.so",
                                         "variables_clang_O2_dwarf4.so", "variables_clang_O2_dwarf5.so",
                                         "variables_split.so", "variables_shared.so"),
                         [](const auto& tested) {
                           const std::string name = tested.param;
                           return name.substr(0, name.find('.'));
                         });

std::vector<std::string> names_of(const std::vector<HeapRoot>& roots) {
  std::vector<std::string> names;
  for (const HeapRoot& root : roots) names.push_back(root.name);
  return names;
}

const HeapType* find(const HeapPlan& plan, const std::string& name) {
  const auto found = std::find_if(plan.types.begin(), plan.types.end(),
                                  [&](const HeapType& type) { return type.name == name && type.leads; });
  return found != plan.types.end() ? &*found : nullptr;
}

std::multimap<std::string, std::string> notes_of(const HeapPlan& plan) {
  std::multimap<std::string, std::string> notes;
  for (const HeapNote& note : plan.not_followed) notes.emplace(note.what, note.first);
  return notes;
}

TEST_P(Variables, ThoseThatLeadToTheClassAreTheRoots) {
  EXPECT_THAT(names_of(plan().roots),
              UnorderedElementsAre("app::everything", "app::Registry::all", "app::first_pointer", "app::base",
                                   "app::constant", "app::shared_by_units", "app::use_first()::of_a_function",
                                   "app::(anonymous namespace)::own", "app::(anonymous namespace)::own",
                                   "app::(anonymous namespace)::way_to_own", "app::(anonymous namespace)::way_to_own"));
}

TEST_P(Variables, ThreadLocalOnesAreNotedAndNoRoots) {
  EXPECT_THAT(notes_of(plan()), Contains(Pair("thread-local variables", "app::of_a_thread")));
}

TEST_P(Variables, ClassesOfOneNameInUnnamedNamespacesAreKeptApart) {
  const HeapPlan made = plan();
  std::vector<std::uint64_t> sizes;
  for (const HeapRoot& root : made.roots)
    if (root.name.ends_with("::own")) sizes.push_back(made.types[root.type].size);
  EXPECT_THAT(sizes, UnorderedElementsAre(16, 48));
}

TEST_P(Variables, EveryContainerIsDescribed) {
  const HeapPlan made = plan();
  for (const HeapNote& note : made.not_followed) EXPECT_THAT(note.what, Not(HasSubstr("does not describe")));
  const HeapType* everything = find(made, "app::Everything");
  ASSERT_NE(everything, nullptr);
  std::map<std::string, Shape> shapes;
  for (const HeapPart& step : everything->steps) shapes[step.name] = made.types[step.type].shape;
  const std::map<std::string, Shape> expected{
      {".vector", Shape::range},
      {".deque", Shape::deque},
      {".list", Shape::list},
      {".forward_list", Shape::chain},
      {".map", Shape::tree},
      {".multimap", Shape::tree},
      {".set", Shape::tree},
      {".multiset", Shape::tree},
      {".unordered_map", Shape::chain},
      {".unordered_multimap", Shape::chain},
      {".unordered_set", Shape::chain},
      {".unordered_multiset", Shape::chain},
      {".optional", Shape::optional},
      {".unique", Shape::pointer},
      {".unique_with_state", Shape::pointer},
      {".shared", Shape::pointer},
      {".weak", Shape::pointer},
  };
  EXPECT_EQ(shapes, expected);
}

TEST_P(Variables, PlacesThatAreNotFollowedAreNotedWithTheirPaths) {
  EXPECT_THAT(
      notes_of(plan()),
      IsSupersetOf({Pair("void pointers", "app::everything.nothing_known"),
                    Pair("std::function", "app::everything.function"), Pair("std::variant", "app::everything.variant"),
                    Pair("unions", "app::everything.either"),
                    Pair("types that are only declared", "app::everything.hidden"),
                    Pair("arrays behind a std::unique_ptr, whose length is not known", "app::everything.array")}));
}

TEST_P(Variables, APointerToABaseLeadsToClassesThatDeriveFromIt) {
  const HeapPlan made = plan();
  const HeapType* derived = find(made, "app::(anonymous namespace)::Derived");
  ASSERT_NE(derived, nullptr);
  const auto vtable = std::find_if(made.vtables.begin(), made.vtables.end(), [](const VtablePlace& place) {
    return place.class_name == "app::(anonymous namespace)::Derived";
  });
  ASSERT_NE(vtable, made.vtables.end());
  EXPECT_EQ(&made.types[vtable->type], derived);
}

TEST_P(Variables, RawPointersAreLeftOutOnRequest) {
  const HeapPlan made = plan_for(GetParam(), {{0}, {{ClassName("app::Data"), size_of_data, 8}}, false});
  EXPECT_THAT(names_of(made.roots), Not(Contains("app::first_pointer")));
  EXPECT_THAT(names_of(made.roots), Contains("app::everything"));
}

TEST_P(Variables, AClassOfAnotherSizeIsRefused) {
  try {
    plan_for(GetParam(), {{0}, {{ClassName("app::Data"), size_of_data + 8, 8}}, true});
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::layout_mismatch);
    EXPECT_THAT(error.what(), HasSubstr("app::Data: has 40 bytes in"));
  }
}

TEST(HeapPlan, AModuleWithoutDebugInformationIsRefused) {
  try {
    plan_for("classes_without_debug.so", {{0}, {{ClassName("app::Data"), size_of_data, 8}}, true});
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), HasSubstr("has no debug information, so that the types of its variables are not known"));
  }
}

}  // namespace
}  // namespace moult::internal
